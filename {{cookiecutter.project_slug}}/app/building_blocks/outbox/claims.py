"""Claims on outbox rows: who may publish which row, and until when.

A claim is a token and an expiry on the row, both by the database's clock. Every later write
names the token, so that a publisher that was stopped past its lease changes nothing when it
wakes (fencing: Kleppmann, Designing Data-Intensive Applications, chapter 8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, Update, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.claimed_row import ClaimedRow, times_of
from app.building_blocks.outbox.due import is_free
from app.building_blocks.outbox.finding import DueRows
from app.building_blocks.outbox.table import DEAD, MOVED, WAITING, outbox, published
from app.building_blocks.text import storable


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that the broker would not take; `retry_in` seconds, or None to set it aside."""

    row: ClaimedRow
    reason: str
    retry_in: float | None


class Claims:
    """Claims rows in order, and records what became of them.

    `lease` is in seconds. `keep_published` says whether published rows are kept or deleted.
    """

    def __init__(
        self, database: Database, *, lease: float = 30.0, keep_published: bool = True
    ) -> None:
        self.lease = lease
        self._database = database
        self._dialect = database.dialect
        self._keep_published = keep_published
        self._due = DueRows(database.dialect)

    async def claim(self, limit: int) -> list[ClaimedRow]:
        """Up to `limit` rows that are due, oldest first, never one whose key has to wait."""
        token = str(uuid4())
        times = times_of(self.lease)

        async def work(connection: AsyncConnection) -> list[Row[Any]]:
            rows = await self._due.find(connection, limit)
            if rows:
                these = self._at([row.position for row in rows])
                await connection.execute(
                    update(outbox)
                    .where(these, is_free(self._dialect))
                    .values(claim_token=token, claimed_until=self._dialect.later(self.lease))
                )
            return rows

        return [_claimed(token, row, times) for row in await self._database.run(work)]

    async def mark_published(self, rows: Sequence[ClaimedRow]) -> int:
        """The broker has confirmed `rows`. Returns how many still belonged to the claim."""

        async def work(connection: AsyncConnection) -> int:
            mine = select(outbox.c.position).where(self._still_claimed(rows)).with_for_update()
            positions = list(await connection.scalars(mine))
            if positions:
                these = self._at(positions)
                if self._keep_published:
                    await connection.execute(self._copy_to_published(these))
                await connection.execute(delete(outbox).where(these))
            return len(positions)

        return await self._database.run(work)

    async def mark_refused(self, refusals: Sequence[Refusal]) -> None:
        """The broker will not take these: each is tried again later, or set aside."""

        async def work(connection: AsyncConnection) -> None:
            for refusal in refusals:
                retry_in = refusal.retry_in
                await connection.execute(
                    self._freed([refusal.row]).values(
                        state=DEAD if retry_in is None else WAITING,
                        attempts=refusal.row.attempts + 1,
                        last_error=storable(refusal.reason),
                        available_at=None if retry_in is None else self._dialect.later(retry_in),
                    )
                )

        await self._database.run(work)

    async def release(self, rows: Sequence[ClaimedRow]) -> None:
        """Give `rows` back untouched: nothing is known of them, and no attempt is counted."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(self._freed(rows))

        await self._database.run(work)

    def _still_claimed(self, rows: Sequence[ClaimedRow]) -> ColumnElement[bool]:
        tokens = {row.token for row in rows}
        those = self._dialect.among(outbox.c.message_id, [row.message_id for row in rows])
        return and_(those, self._dialect.among(outbox.c.claim_token, tokens))

    def _freed(self, rows: Sequence[ClaimedRow]) -> Update:
        return (
            update(outbox)
            .where(self._still_claimed(rows))
            .values(claim_token=None, claimed_until=None)
        )

    def _at(self, positions: Sequence[int]) -> ColumnElement[bool]:
        return self._dialect.among(outbox.c.position, positions)

    def _copy_to_published(self, these: ColumnElement[bool]) -> Any:
        moved = [outbox.c[name] for name in MOVED]
        return insert(published).from_select(
            [*MOVED, "published_at"],
            select(*moved, self._dialect.now()).where(these).order_by(outbox.c.position),
        )


def _claimed(token: str, row: Row[Any], times: tuple[float, float]) -> ClaimedRow:
    return ClaimedRow(
        token,
        row.message_id,
        row.topic,
        row.key,
        row.headers or {},
        row.payload,
        row.attempts,
        *times,
    )
