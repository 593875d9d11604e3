"""Writes down, every few seconds, that this process lives and what it has done."""

import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import structlog
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.database import Database
from app.building_blocks.http.health import Check, answers
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.replica_table import replica_minutes, replicas
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)

KEPT = timedelta(days=1)


class Reporter:
    """A row for this process while it runs, and one for each minute in which it did something.

    `checks` are those of readiness. Every `interval` seconds, by the database's clock. At the
    same time it looks which `environments` there are, and lets this one exist for `consumers`.
    """

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        checks: Mapping[str, Check],
        wake_up: WakeUp,
        *,
        interval: float = 5.0,
        environments: Environments | None = None,
        consumers: Sequence[str] = (),
    ) -> None:
        self._database, self._metrics, self._checks = database, metrics, checks
        self._wake_up, self._interval = wake_up, interval
        self._environments = environments or Environments()
        self._consumers = list(consumers)
        self._replica = str(uuid4())
        self._told = metrics.totals()
        self._started_at: datetime | None = None

    async def run(self) -> None:
        """Report until told to stop, then sign off. While the database is away it waits."""
        while not self._wake_up.closed:
            await self._try(self.report)
            await self._wake_up.sleep(self._interval)
        await self._try(self.sign_off)

    async def report(self) -> None:
        """Write it down once."""
        parts = {name: why or "" for name, why in (await answers(self._checks)).items()}
        await self._write(partial(self._beat, parts))

    async def sign_off(self) -> None:
        """Write down what was done last. A process that ends like this is missed by nobody."""
        await self._write(self._leave)

    async def _try(self, tell: Callable[[], Awaitable[None]]) -> None:
        try:
            await tell()
        except Exception as error:
            if not self._database.is_away(error):
                raise
            log.warning("database is away", reason=str(error))

    async def _write(self, tell: Callable[[AsyncConnection, datetime], Awaitable[None]]) -> None:
        totals = self._metrics.totals()
        done = {name: total - self._told[name] for name, total in totals.items()}

        async def work(connection: AsyncConnection) -> None:
            now = await self._database.now(connection)
            await tell(connection, now)
            if any(done.values()):
                await self._count(connection, now, done)
            await self._forget(connection, now)
            await self._environments.look(connection, now)

        await self._database.run(work)
        self._told = totals

    async def _beat(
        self, parts: Mapping[str, str], connection: AsyncConnection, now: datetime
    ) -> None:
        self._started_at = self._started_at or now
        row = {
            "replica": self._replica,
            "host": socket.gethostname()[:255],
            "process": os.getpid(),
            "started_at": self._started_at,
            "seen_at": now,
            "environment": self._environments.own or None,
            "consumers": self._consumers,
            "parts": dict(parts),
        }
        if not await self._database.dialect.insert_if_absent(connection, replicas, row):
            mine = replicas.c.replica == self._replica
            await connection.execute(
                update(replicas).where(mine).values(seen_at=now, parts=row["parts"])
            )

    async def _leave(self, connection: AsyncConnection, now: datetime) -> None:
        await connection.execute(delete(replicas).where(replicas.c.replica == self._replica))

    async def _count(
        self, connection: AsyncConnection, now: datetime, done: Mapping[str, int]
    ) -> None:
        minute = now.replace(second=0, microsecond=0)
        row = {"minute": minute, "replica": self._replica, **done}
        if await self._database.dialect.insert_if_absent(connection, replica_minutes, row):
            return
        columns = replica_minutes.c
        await connection.execute(
            update(replica_minutes)
            .where(columns.minute == minute, columns.replica == self._replica)
            .values({name: columns[name] + number for name, number in done.items()})
        )

    async def _forget(self, connection: AsyncConnection, now: datetime) -> None:
        """Processes that ended, and minutes that no chart shows any more."""
        await connection.execute(delete(replicas).where(replicas.c.seen_at < now - KEPT))
        await connection.execute(
            delete(replica_minutes).where(replica_minutes.c.minute < now - KEPT)
        )
