"""The service's own publisher at work on rows that wait."""

import asyncio
import time
from typing import Any, Self

from app.broker import open_broker
from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.databases.database import Database
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.table import outbox
from app.building_blocks.wake_up import WakeUp
from app.settings import Settings
from child import until
from rows import SERVICE, TOPIC
from sqlalchemy import select

LOOK_EVERY = 0.01
IDLE = 0.25


class Draining:
    """A publisher with the settings of the service, put together as `app.main` does.

    It publishes to `broker`, or else to that of the settings.
    """

    def __init__(
        self, settings: Settings, database: Database, broker: BrokerAdapter | None = None
    ) -> None:
        self._settings, self._database, self._metrics = settings, database, Metrics()
        registry = self._metrics.registry
        self._broker = broker or open_broker(settings.broker_url, SERVICE, registry)
        self._broker.declare(TOPIC)

    async def __aenter__(self) -> Self:
        await self._broker.start()
        await until(self._broker.is_connected, 30, "the broker is connected")
        await self._is_empty()  # a connection is there, as in a service that runs
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._broker.stop()

    async def drain(self, rows: int) -> dict[str, Any]:
        """Publish until this process has done `rows`, or none wait any more."""
        wake_up = WakeUp()
        publisher = self._publisher(wake_up)
        before = self._published
        begun, cpu = time.monotonic(), time.process_time()
        seen, ended = before, begun
        publishing = asyncio.create_task(publisher.run())
        while seen - before < rows:
            if publishing.done():
                publishing.result()
            await asyncio.sleep(LOOK_EVERY)
            if self._published != seen:
                seen, ended = self._published, time.monotonic()
            elif time.monotonic() - ended > IDLE and await self._is_empty():
                break
        cpu = time.process_time() - cpu
        wake_up.close()
        await publishing
        return {"rows": seen - before, "begun": begun, "ended": ended, "cpu": cpu}

    def _publisher(self, wake_up: WakeUp) -> Publisher:
        settings = self._settings
        return Publisher(
            Claims(self._database, keep_published=settings.outbox_retention_hours > 0),
            self._broker,
            wake_up,
            self._metrics,
            refusals=settings.retry_policy,
            batch_size=settings.outbox_batch_size,
            poll_interval=settings.outbox_poll_interval,
        )

    @property
    def _published(self) -> int:
        return self._metrics.totals()["published"]

    async def _is_empty(self) -> bool:
        async with self._database.reader.connect() as connection:
            return await connection.scalar(select(outbox.c.position).limit(1)) is None
