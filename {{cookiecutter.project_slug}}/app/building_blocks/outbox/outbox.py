"""The write side of the outbox: integration events become rows of the open transaction.

The pattern is the transactional outbox (Richardson, Microservices Patterns).
"""

from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.carriers import Carriers
from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.envelope import Envelope
from app.building_blocks.outbox.table import outbox
from app.building_blocks.wake_up import WakeUp


class Outbox:
    """Writes integration events beside the business rows, and wakes the publisher after.

    An event whose JSON is longer than `max_payload_bytes` is refused.
    """

    def __init__(
        self,
        dialect: Dialect,
        service: str,
        wake_up: WakeUp,
        *,
        carriers: Carriers | None = None,
        max_payload_bytes: int = 1 << 20,
    ) -> None:
        self._dialect = dialect
        self._service = service
        self._wake_up = wake_up
        self._carriers = carriers or Carriers()
        self._max_payload_bytes = max_payload_bytes
        self._insert = insert(outbox).values(created_at=dialect.now())

    async def write(self, connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
        """Insert a row for each, in their order. Raises EventRefusedError before any is written."""
        limits = (self._service, self._max_payload_bytes, self._carriers)
        rows = [one.row(*limits) for one in envelopes]
        if not any(one.delay or one.deliver_at for one in envelopes):
            # Rows as parameters: the statement is compiled once, however many there are.
            await connection.execute(self._insert, rows)
            return
        for one, row in zip(envelopes, rows, strict=True):
            # Not every database keeps the zone.
            at = one.deliver_at and one.deliver_at.astimezone(UTC)
            due = at or (self._dialect.later(one.delay) if one.delay else None)
            await connection.execute(self._insert.values(available_at=due), row)

    def committed(self) -> None:
        """Tell the publisher of this process that rows wait."""
        self._wake_up.set()
