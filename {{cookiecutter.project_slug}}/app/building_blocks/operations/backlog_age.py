"""Whether the outbox still moves, as readiness asks for it."""

import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, or_, select

from app.building_blocks.databases.database import Database
from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.operations.times import in_utc
from app.building_blocks.outbox.due import in_line, is_waiting
from app.building_blocks.outbox.table import WAITING, outbox

_STILL_MOVES_SECONDS = 30.0
# The second only when nothing among the first could go; what lies further behind is not seen.
_LOOKED_AT = (100, 10_000)


class BacklogAge:
    """Not ready while the oldest event that could go out waits longer than `limit` seconds.

    It is for what the other checks cannot see: everything seems to run, and nothing leaves. All
    replicas share the outbox and say so together, so that the service gets no traffic; hence
    it must mean that the service is of no use, not that it is busy. An old backlog that shrinks
    is being worked off: as long as its oldest row changes, the service is ready. Delayed,
    refused and dead rows, and those behind a refused one of their key, do not count. A `limit`
    of 0 turns it off.
    """

    def __init__(self, database: Database, limit: float) -> None:
        self._database = database
        self._limit = limit
        self._last: int | None = None
        self._moved_at = -_STILL_MOVES_SECONDS

    async def check(self) -> str | None:
        """Why not, as a sentence, or None."""
        if not self._limit:
            return None
        position, waits = await self._oldest_due()
        if waits.total_seconds() <= self._limit:
            self._last = None
            return None
        if self._last not in (None, position):
            self._moved_at = time.monotonic()
        self._last = position
        if time.monotonic() - self._moved_at < _STILL_MOVES_SECONDS:
            return None
        seconds = round(waits.total_seconds())
        return f"an event waits for {seconds} s to be published, and the limit is {self._limit:g} s"

    async def _oldest_due(self) -> tuple[int, timedelta]:
        """The position of the row that could go out since the longest time, and that time."""
        async with self._database.reader.connect() as connection:
            now = await self._database.now(connection)
            for looked_at in _LOOKED_AT:
                searches = _first_due(self._database.dialect, looked_at)
                rows = [(await connection.execute(search)).first() for search in searches]
                if any(rows):
                    break
        found = [(row.position, now - (in_utc(row.since) or now)) for row in rows if row]
        return max(found, key=lambda one: one[1], default=(0, timedelta()))


def _first_due(dialect: Dialect, looked_at: int) -> list[Select[Any]]:
    """Two searches, each along an index and over so many rows at most: an OR would have none."""
    now, position, due_at = dialect.now(), outbox.c.position, outbox.c.available_at
    some = (position, outbox.c.key, outbox.c.state, outbox.c.claimed_until)
    at_once = select(*some, outbox.c.created_at.label("since")).where(
        is_waiting(dialect), due_at.is_(None)
    )
    delayed = select(*some, due_at.label("since")).where(due_at <= now)
    return [
        _could_go(at_once.order_by(*in_line(dialect)).limit(looked_at).subquery(), now),
        _could_go(delayed.order_by(due_at).limit(looked_at).subquery(), now),
    ]


def _could_go(rows: Subquery, now: ColumnElement[datetime]) -> Select[Any]:
    """The first of `rows` that nobody has claimed, and that waits for no other of its key."""
    earlier = outbox.alias("earlier")
    is_held = or_(
        earlier.c.claimed_until >= now,
        and_(earlier.c.attempts > 0, earlier.c.available_at > now),
    )
    is_behind = exists().where(
        earlier.c.key == rows.c.key,
        earlier.c.position < rows.c.position,
        is_held,
    )
    is_free = or_(rows.c.claimed_until.is_(None), rows.c.claimed_until < now)
    could_go = (rows.c.state == WAITING, rows.c.since.is_not(None), is_free, ~is_behind)
    return select(rows.c.position, rows.c.since).where(*could_go).order_by(rows.c.since).limit(1)
