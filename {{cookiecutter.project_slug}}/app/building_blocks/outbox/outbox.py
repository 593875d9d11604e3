"""The write side of the outbox: integration events become rows of the open transaction.

The pattern is the transactional outbox (Richardson, Microservices Patterns).
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.carriers import Carriers
from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.envelope import Envelope
from app.building_blocks.outbox.handover import Handover
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
        handover: Handover | None = None,
        carriers: Carriers | None = None,
        max_payload_bytes: int = 1 << 20,
    ) -> None:
        self._dialect = dialect
        self._service = service
        self._wake_up = wake_up
        self._carriers = carriers or Carriers()
        self._max_payload_bytes = max_payload_bytes
        self._handover = handover or Handover(dialect)
        self._insert = insert(outbox).values(created_at=dialect.now())
        lease = dialect.later(self._handover.lease)
        self._insert_claimed = self._insert.values(claimed_until=lease)

    async def write(
        self, connection: AsyncConnection, envelopes: Sequence[Envelope]
    ) -> list[ClaimedRow]:
        """Insert a row for each, in their order. Raises EventRefusedError before any is written.

        Returns those to be given to the publisher of this process once they are committed.
        """
        limits = (self._service, self._max_payload_bytes, self._carriers)
        rows = [one.row(*limits) for one in envelopes]
        at_once = [row for one, row in zip(envelopes, rows, strict=True) if not one.is_for_later]
        claimed = await self._handover.claim(connection, at_once)
        tokens = {row.message_id: row.token for row in claimed}
        # Rows as parameters: the statement is compiled once, however many there are.
        if tokens:
            mine = [row for row in at_once if row["message_id"] in tokens]
            with_token = [row | {"claim_token": tokens[row["message_id"]]} for row in mine]
            await connection.execute(self._insert_claimed, with_token)
        if others := [row for row in at_once if row["message_id"] not in tokens]:
            await connection.execute(self._insert, others)
        for one, row in zip(envelopes, rows, strict=True):
            if one.is_for_later:
                await connection.execute(self._insert.values(available_at=self._due(one)), row)
        return claimed

    def committed(self, claimed: Sequence[ClaimedRow], *, others_wait: bool) -> None:
        """Give the publisher of this process what it may publish, and tell it of other rows."""
        if claimed:
            self._handover.give(claimed)
        if others_wait:
            self._wake_up.set()

    def _due(self, one: Envelope) -> Any:
        # Not every database keeps the zone.
        at = one.deliver_at and one.deliver_at.astimezone(UTC)
        return at or self._dialect.later(one.delay)
