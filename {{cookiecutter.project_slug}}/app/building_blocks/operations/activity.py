"""What the processes of this service have told of themselves."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.replica_table import replica_minutes, replicas
from app.building_blocks.operations.times import in_utc

SILENT_AFTER = timedelta(seconds=20)
"""A process that told nothing for so long has ended or hangs."""


class Replica(NamedTuple):
    """`parts` has the name of each part of it, and why that does not work, or ""."""

    replica: str
    host: str
    process: int
    started_at: datetime
    seen_at: datetime
    is_silent: bool
    parts: dict[str, str]
    environment: str = ""


class Minute(NamedTuple):
    """What all processes did in the minute that begins at `start`."""

    start: datetime
    published: int
    handled: int
    failed: int
    dead: int


async def replicas_of(database: Database) -> list[Replica]:
    """Those that were seen within a day and have not ended: those that live, latest start first."""
    async with database.reader.connect() as connection:
        now = await database.now(connection)
        rows = (await connection.execute(select(replicas))).all()
    found = [_replica(row, now) for row in rows]
    found.sort(key=lambda one: one.started_at, reverse=True)
    return sorted(found, key=lambda one: one.is_silent)


async def minutes_of(database: Database) -> list[Minute]:
    """Of the last day, oldest first; none for a minute in which nothing was done."""
    columns = replica_minutes.c
    sums = [func.sum(columns[name]) for name in ("published", "handled", "failed", "dead")]
    search = select(columns.minute, *sums).group_by(columns.minute).order_by(columns.minute)
    async with database.reader.connect() as connection:
        return [
            Minute(in_utc(minute) or minute, *(int(number) for number in numbers))
            for minute, *numbers in await connection.execute(search)
        ]


def _replica(row: Any, now: datetime) -> Replica:
    started_at, seen_at = in_utc(row.started_at) or now, in_utc(row.seen_at) or now
    return Replica(
        row.replica,
        row.host,
        row.process,
        started_at,
        seen_at,
        seen_at < now - SILENT_AFTER,
        dict(row.parts),
        row.environment or "",
    )
