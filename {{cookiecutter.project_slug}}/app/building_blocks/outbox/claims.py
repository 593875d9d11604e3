"""Claims on outbox rows: who may publish which row, and until when.

A claim is a token and an expiry on the row, both by the database's clock. Every later write
names the token, so that a publisher that was stopped past its lease changes nothing when it
wakes (fencing: Kleppmann, Designing Data-Intensive Applications, chapter 8).
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.claim_statements import free, take
from app.building_blocks.outbox.claimed_row import ClaimedRow, times_of
from app.building_blocks.outbox.due import DueRow
from app.building_blocks.outbox.finding import DueRows
from app.building_blocks.outbox.leaving import leaving
from app.building_blocks.outbox.table import DEAD, WAITING
from app.building_blocks.text import storable


class Refusal(NamedTuple):
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
        self._due = DueRows(database.dialect)
        self._take, self._free = take(database.dialect, lease), free(database.dialect)
        self._leave = leaving(database.dialect, keep_published=keep_published)

    async def claim(self, limit: int) -> list[ClaimedRow]:
        """Up to `limit` rows that are due, oldest first, never one whose key has to wait."""
        token = str(uuid4())
        times = times_of(self.lease)

        async def work(connection: AsyncConnection) -> list[DueRow]:
            rows = await self._due.find(connection, limit)
            if rows:
                these = {"positions": [row.position for row in rows], "token": token}
                await connection.execute(self._take, these)
            return rows

        return [_claimed(token, row, times) for row in await self._database.run(work)]

    async def mark_published(self, rows: Sequence[ClaimedRow]) -> int:
        """The broker has confirmed `rows`. Returns how many still belonged to the claim."""
        claim = _claim_on(rows)
        return await self._database.run(lambda connection: self._leave(connection, claim))

    async def mark_refused(self, refusals: Sequence[Refusal]) -> None:
        """The broker will not take these: each is tried again later, or set aside."""

        async def work(connection: AsyncConnection) -> None:
            for refusal in refusals:
                retry_in = refusal.retry_in
                refused = self._free.values(
                    state=DEAD if retry_in is None else WAITING,
                    attempts=refusal.row.attempts + 1,
                    last_error=storable(refusal.reason),
                    available_at=None if retry_in is None else self._dialect.later(retry_in),
                )
                await connection.execute(refused, _claim_on([refusal.row]))

        await self._database.run(work)

    async def release(self, rows: Sequence[ClaimedRow]) -> None:
        """Give `rows` back untouched: nothing is known of them, and no attempt is counted."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(self._free, _claim_on(rows))

        await self._database.run(work)


def _claim_on(rows: Sequence[ClaimedRow]) -> dict[str, list[str]]:
    return {
        "messages": [row.message_id for row in rows],
        "tokens": list({row.token for row in rows}),
    }


def _claimed(token: str, row: DueRow, times: tuple[float, float]) -> ClaimedRow:
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
