"""Claims on outbox rows: who may publish which row, and until when.

A claim is a token and an expiry on the row, both by the database's clock. Every later write
names the token, so that a publisher that was stopped past its lease changes nothing when it
wakes (fencing: Kleppmann, Designing Data-Intensive Applications, chapter 8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.table import DEAD, MOVED, WAITING, outbox, published


@dataclass(frozen=True, slots=True)
class ClaimedRow:
    """A row that this publisher may publish while its lease lasts."""

    token: str
    position: int
    message_id: str
    topic: str
    key: str | None
    headers: dict[str, str]
    payload: str
    attempts: int


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

    async def claim(self, limit: int) -> list[ClaimedRow]:
        """Up to `limit` rows that are due, oldest first, never one whose key has to wait."""
        token = str(uuid4())
        async with self._database.writer.begin() as connection:
            rows = (await connection.execute(self._due().limit(limit))).all()
            rows = await self._without_overtaking(connection, rows)
            if rows:
                await connection.execute(
                    update(outbox)
                    .where(
                        outbox.c.position.in_([row.position for row in rows]), self._free(outbox)
                    )
                    .values(claim_token=token, claimed_until=self._dialect.later(self.lease))
                )
        return [_claimed(token, row) for row in rows]

    async def mark_published(self, rows: Sequence[ClaimedRow]) -> int:
        """The broker has confirmed `rows`. Returns how many still belonged to the claim."""
        async with self._database.writer.begin() as connection:
            mine = await connection.scalars(
                select(outbox.c.position).where(_still_claimed(rows)).with_for_update()
            )
            positions = list(mine)
            if positions:
                these = outbox.c.position.in_(positions)
                if self._keep_published:
                    await connection.execute(self._copy_to_published(these))
                await connection.execute(delete(outbox).where(these))
        return len(positions)

    async def mark_refused(self, row: ClaimedRow, error: str, retry_in: float | None) -> None:
        """The broker will not take `row`: try again in `retry_in` seconds, or set it aside."""
        await self._write(
            [row],
            state=DEAD if retry_in is None else WAITING,
            attempts=row.attempts + 1,
            last_error=error,
            available_at=None if retry_in is None else self._dialect.later(retry_in),
        )

    async def release(self, rows: Sequence[ClaimedRow]) -> None:
        """Give `rows` back untouched: nothing is known of them, and no attempt is counted."""
        await self._write(rows)

    async def _write(self, rows: Sequence[ClaimedRow], **values: Any) -> None:
        async with self._database.writer.begin() as connection:
            await connection.execute(
                update(outbox)
                .where(_still_claimed(rows))
                .values(claim_token=None, claimed_until=None, **values)
            )

    def _due(self) -> Any:
        earlier = outbox.alias("earlier")
        key_has_to_wait = exists().where(
            earlier.c.key == outbox.c.key,
            earlier.c.position < outbox.c.position,
            earlier.c.state == WAITING,
            or_(
                earlier.c.claimed_until >= self._dialect.now(),
                and_(earlier.c.attempts > 0, earlier.c.available_at > self._dialect.now()),
            ),
        )
        return (
            select(outbox)
            .where(outbox.c.state == WAITING, self._available(outbox), self._free(outbox))
            .where(~key_has_to_wait)
            .order_by(outbox.c.position)
            .with_for_update(skip_locked=True)
        )

    async def _without_overtaking(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]]
    ) -> list[Row[Any]]:
        """Drop rows behind an earlier one of their key that another publisher just took.

        Its claim may have been invisible to the search, which skips what is locked.
        """
        keys = {row.key for row in rows if row.key is not None}
        if not keys:
            return list(rows)
        missed = await connection.execute(
            select(outbox.c.key, outbox.c.position).where(
                outbox.c.state == WAITING,
                outbox.c.key.in_(keys),
                outbox.c.position < rows[-1].position,
                outbox.c.position.not_in([row.position for row in rows]),
                or_(self._available(outbox), outbox.c.attempts > 0),
            )
        )
        first_missed: dict[str, int] = {}
        for key, position in missed:
            first_missed[key] = min(position, first_missed.get(key, position))
        return [row for row in rows if row.position < first_missed.get(row.key, row.position + 1)]

    def _available(self, table: Any) -> ColumnElement[bool]:
        return or_(table.c.available_at.is_(None), table.c.available_at <= self._dialect.now())

    def _free(self, table: Any) -> ColumnElement[bool]:
        return or_(table.c.claimed_until.is_(None), table.c.claimed_until < self._dialect.now())

    def _copy_to_published(self, these: ColumnElement[bool]) -> Any:
        moved = [outbox.c[name] for name in MOVED]
        return insert(published).from_select(
            [*MOVED, "published_at"], select(*moved, self._dialect.now()).where(these)
        )


def _still_claimed(rows: Sequence[ClaimedRow]) -> ColumnElement[bool]:
    return and_(
        outbox.c.position.in_([row.position for row in rows]),
        outbox.c.claim_token.in_({row.token for row in rows}),
    )


def _claimed(token: str, row: Row[Any]) -> ClaimedRow:
    return ClaimedRow(
        token,
        row.position,
        row.message_id,
        row.topic,
        row.key,
        row.headers or {},
        row.payload,
        row.attempts,
    )
