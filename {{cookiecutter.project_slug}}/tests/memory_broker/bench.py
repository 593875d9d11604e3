"""Memory brokers that run for a test, and handlers that keep, fail or wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.memory.adapter import MemoryAdapter
from app.building_blocks.brokers.memory.broker import MemoryBroker

TOPIC = "orders.order-created.v1"
MESSAGE = BrokerMessage(TOPIC, b"{}", {})
DEADLINE = 10.0


@asynccontextmanager
async def running(broker: MemoryAdapter | MemoryBroker) -> AsyncIterator[None]:
    async with asyncio.timeout(DEADLINE):
        await broker.start()
        try:
            yield
        finally:
            await broker.stop()


def adapter(*, retry_pause: float = 0.0, graceful_timeout: float = 15.0) -> MemoryAdapter:
    return MemoryAdapter(
        "memory://", "shop", retry_pause=retry_pause, graceful_timeout=graceful_timeout
    )


def collect_into(received: list[BrokerMessage]) -> Callable[[BrokerMessage], Awaitable[None]]:
    async def receive(message: BrokerMessage) -> None:
        received.append(message)

    return receive


async def fail(message: BrokerMessage) -> None:
    raise ConnectionError("the database is down")


class Gate:
    """A handler that says when it was reached and waits until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.passed = False
        self.cancelled = False

    async def __call__(self, message: BrokerMessage) -> None:
        self.reached.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self.passed = True
