"""Messages that wait in a broker, and a service that handles them against the clock.

They wait there before the clock starts, but for the broker in memory, which keeps none.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.broker import open_broker
from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.features.orders.create_order import CreateOrder
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from bench_features import only_orders
from child import until
from fastapi import FastAPI
from rows import SERVICE, messages

DEADLINE = 300.0
PUBLISHED_AT_ONCE = 400


class Handling:
    """A handler that writes an order, and knows when it began and ended."""

    def __init__(self) -> None:
        self.count, self.first, self.last = 0, 0.0, 0.0
        self.feature = Feature("bench")
        self.subscribe()

    def subscribe(self) -> None:
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.handle)

    async def handle(self, event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        self.begun()
        await mediator.send(CreateOrder(customer=event.customer, amount=event.amount))
        self.ended(1)

    def begun(self) -> None:
        self.first = self.first or time.perf_counter()

    def ended(self, messages: int) -> None:
        self.count, self.last = self.count + messages, time.perf_counter()


async def consumed(settings: Settings, rows: int, new: Callable[[], Handling] = Handling) -> float:
    """Messages handled per second."""
    is_memory = settings.broker_url.startswith("memory:")
    if not is_memory:
        async with _served(settings, new()):
            pass  # what the consumer reads from is there now
        await publish(open_broker(settings.broker_url, SERVICE), rows)
    handling = new()
    async with _served(settings, handling) as app:
        if is_memory:
            await publish_all(app.state.broker, rows)

        async def all_handled() -> bool:
            return handling.count >= rows

        await until(all_handled, DEADLINE, f"{rows} messages are handled")
    return (rows - 1) / (handling.last - handling.first)


@asynccontextmanager
async def _served(settings: Settings, handling: Handling) -> AsyncIterator[FastAPI]:
    app = create_app(settings, [only_orders(), handling.feature])
    async with app.router.lifespan_context(app):
        await until(app.state.broker.is_connected, 60, "the broker is connected")
        yield app


async def publish(broker: BrokerAdapter, rows: int) -> None:
    """Start `broker`, publish so many messages, stop it."""
    await broker.start()
    await publish_all(broker, rows)
    await broker.stop()


async def publish_all(broker: BrokerAdapter, rows: int) -> None:
    """Enough at once to keep every handler busy where a publish waits for them."""
    waiting = iter(messages(rows))

    async def worker() -> None:
        for message in waiting:
            await broker.publish(message)

    await asyncio.gather(*(worker() for _ in range(PUBLISHED_AT_ONCE)))
