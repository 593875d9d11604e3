"""A publisher that takes what commands hand over, and the end of its work."""

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.handover import Handover
from tests.guarantees.conftest import StartPublisher, count_published
from tests.waiting import eventually

HOUR = 3600.0


async def open_publisher(start: StartPublisher, handover: Handover, **options: object) -> None:
    """Start one that never looks for rows by itself; return when the handover is open."""
    await start(**({"handover": handover, "poll_interval": HOUR} | options))

    async def is_open() -> bool:
        return handover.is_open

    await eventually(is_open, what="the handover open")


async def all_published(database: Database, count: int) -> None:
    """Return when so many rows are marked as published."""

    async def marked() -> bool:
        return await count_published(database) == count

    await eventually(marked, what=f"{count} published rows")
