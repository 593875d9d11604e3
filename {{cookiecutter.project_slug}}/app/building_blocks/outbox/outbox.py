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
        # Nobody asks for the positions.
        self._insert = insert(outbox).values(created_at=dialect.now()).inline()
        lease = dialect.later(self._handover.lease)
        self._insert_claimed = self._insert.values(claimed_until=lease)

    async def write(
        self,
        connection: AsyncConnection,
        envelopes: Sequence[Envelope],
        *,
        may_claim: bool = True,
    ) -> list[ClaimedRow]:
        """Insert a row for each, in their order. Raises EventRefusedError before any is written.

        Returns those to be given to the publisher of this process once they are committed; none
        when it may not claim.
        """
        limits = (self._service, self._max_payload_bytes, self._carriers)
        rows = [one.row(*limits) for one in envelopes]
        if any(one.delay or one.deliver_at for one in envelopes):
            await self._write_for_later(connection, envelopes, rows)
            return []
        claimed = await self._handover.claim(connection, rows) if may_claim else []
        tokens = {row.message_id: row.token for row in claimed}
        mine, others = [], []
        for row in rows:
            token = tokens.get(row["message_id"])
            others.append(row) if token is None else mine.append(row | {"claim_token": token})
        for statement, these in ((self._insert_claimed, mine), (self._insert, others)):
            if these:
                # As parameters: a statement is compiled once, however many rows there are. One
                # alone is quicker without a list.
                await connection.execute(statement, these if len(these) > 1 else these[0])
        return claimed

    async def _write_for_later(
        self,
        connection: AsyncConnection,
        envelopes: Sequence[Envelope],
        rows: Sequence[dict[str, Any]],
    ) -> None:
        for one, row in zip(envelopes, rows, strict=True):
            # Not every database keeps the zone.
            at = one.deliver_at and one.deliver_at.astimezone(UTC)
            due = at or (self._dialect.later(one.delay) if one.delay else None)
            await connection.execute(self._insert.values(available_at=due), row)

    def committed(self, claimed: Sequence[ClaimedRow], *, others_wait: bool) -> None:
        """Give the publisher of this process what it may publish, and tell it of other rows."""
        if claimed:
            self._handover.give(claimed)
        if others_wait:
            self._wake_up.set()
