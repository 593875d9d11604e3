"""A publisher that takes what commands hand over, and never looks by itself."""

from app.building_blocks.outbox.handover import Handover
from tests.guarantees.conftest import StartPublisher
from tests.waiting import eventually

HOUR = 3600.0


async def open_publisher(start: StartPublisher, handover: Handover, **options: object) -> None:
    """Return when the handover is open."""
    await start(**({"handover": handover, "poll_interval": HOUR} | options))

    async def is_open() -> bool:
        return handover.is_open

    await eventually(is_open, what="the handover open")
