"""Messages that a consumer handles in a second, and the same business transactions alone.

Handling is an inbox row and an order in one transaction. Alone it is the order. Both run as many
at once as the inbox has room for. Messages wait in the broker before the clock starts, but for
the one in memory, which keeps none.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from app.broker import open_broker
from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.features.orders.create_order import CreateOrder
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings, load_settings
from bench_features import only_orders
from child import run, tell, until
from fastapi import FastAPI
from rows import SERVICE, messages

AT_ONCE = 15  # handlers_at_once of the inbox
DEADLINE = 300.0


class Handling:
    """A handler that writes an order, and knows when it began and ended."""

    def __init__(self) -> None:
        self.count, self.first, self.last = 0, 0.0, 0.0
        self.feature = Feature("bench")
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.handle)

    async def handle(self, event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        self.first = self.first or time.perf_counter()
        await mediator.send(CreateOrder(customer=event.customer, amount=event.amount))
        self.count, self.last = self.count + 1, time.perf_counter()


async def alone(settings: Settings, rows: int) -> float:
    """Business transactions per second."""
    mediator = create_app(settings, [only_orders()]).state.mediator
    left = rows

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await mediator.send(CreateOrder(customer="ada", amount=Decimal("12.50")))

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    took = time.perf_counter() - begun
    await mediator.database.dispose()
    return rows / took


async def consumed(settings: Settings, rows: int) -> float:
    """Messages handled per second."""
    is_memory = settings.broker_url.startswith("memory:")
    if not is_memory:
        async with _served(settings, Handling()):
            pass  # what the consumer reads from is there now
        await _publish(open_broker(settings.broker_url, SERVICE), rows)
    handling = Handling()
    async with _served(settings, handling) as app:
        if is_memory:
            await _publish_all(app.state.broker, rows)

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


async def _publish(broker: BrokerAdapter, rows: int) -> None:
    await broker.start()
    await _publish_all(broker, rows)
    await broker.stop()


async def _publish_all(broker: BrokerAdapter, rows: int) -> None:
    """Enough at once to keep every handler busy where a publish waits for them."""
    waiting = iter(messages(rows))

    async def worker() -> None:
        for message in waiting:
            await broker.publish(message)

    await asyncio.gather(*(worker() for _ in range(4 * AT_ONCE)))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    rows: int = parser.parse_args().rows
    settings = load_settings().model_copy(update={"service_name": SERVICE})
    tell(alone=await alone(settings, rows), handled=await consumed(settings, rows))


run(main())
