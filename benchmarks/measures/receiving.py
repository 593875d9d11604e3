"""Messages that go through FastStream and the adapter, with nothing done about them."""

import asyncio
import time

from app.broker import open_broker
from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.metrics import Metrics
from app.settings import Settings
from handling import DEADLINE, publish, publish_all
from rows import SERVICE, TOPIC


class Reader:
    """A consumer of its own, which knows when its first message came and when its last."""

    def __init__(self, settings: Settings, rows: int) -> None:
        self._rows, self._times = rows, list[float]()
        self._all = asyncio.Event()
        self.broker = open_broker(settings.broker_url, SERVICE, Metrics().registry)
        self.broker.declare(TOPIC)
        self.broker.subscribe(TOPIC, f"{SERVICE}.reader", self._receive)

    async def _receive(self, _message: BrokerMessage) -> None:
        self._times.append(time.perf_counter())
        if len(self._times) >= self._rows:
            self._all.set()

    async def rate(self) -> float:
        """Messages per second, once all have come."""
        async with asyncio.timeout(DEADLINE):
            await self._all.wait()
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])


async def received(settings: Settings, rows: int) -> float:
    """Messages per second."""
    is_memory = settings.broker_url.startswith("memory:")
    if not is_memory:
        first = Reader(settings, rows)
        await first.broker.start()
        await first.broker.stop()
        await publish(open_broker(settings.broker_url, SERVICE), rows)
    reader = Reader(settings, rows)
    await reader.broker.start()
    if is_memory:
        await publish_all(reader.broker, rows)
    rate = await reader.rate()
    await reader.broker.stop()
    return rate
