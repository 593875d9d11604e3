"""How much waits and since when, in a time that does not grow with the tables."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.database import Database
from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.operations.states import STATES, Box, State
from app.building_blocks.operations.times import in_utc
from app.building_blocks.outbox.due import is_available
from app.building_blocks.outbox.table import WAITING, outbox

COUNTED = 10_000
"""Counting stops here: more is `is_more`. An exact count would read every row of the state."""


class Backlog(NamedTuple):
    """The rows of one state. `oldest_seconds` is how long the first in line has been in it.

    What is not to be published yet is counted and has no age.
    """

    box: str
    state: str
    rows: int
    is_more: bool
    oldest_seconds: float | None


async def backlogs(
    database: Database, *, only_open: bool = False, box: Box | None = None
) -> list[Backlog]:
    """Of each state, or of those in which something is left to do, or of one box."""
    async with database.reader.connect() as connection:
        now = await database.now(connection)
        return [
            await _backlog(connection, database.dialect, state, now)
            for state in STATES
            if (state.is_open or not only_open) and box in (None, state.box)
        ]


async def _backlog(
    connection: AsyncConnection, dialect: Dialect, state: State, now: datetime
) -> Backlog:
    # Along the order, because then an index has all that is needed.
    line = (
        select(state.order[0])
        .where(state.has(dialect))
        .order_by(*state.along(dialect, roughly=True))
    )
    some = line.limit(COUNTED + 1)
    rows = await connection.scalar(select(func.count()).select_from(some.subquery())) or 0
    first = _oldest_due(dialect, state) if state.name == WAITING else _oldest(dialect, state)
    since = in_utc(await connection.scalar(first))
    age = None if since is None else max(0.0, (now - since).total_seconds())
    return Backlog(state.box, state.name, min(rows, COUNTED), rows > COUNTED, age)


def _oldest(dialect: Dialect, state: State) -> Select[Any]:
    is_placed = state.order[0].is_not(None)
    oldest_first = state.along(dialect, descending=False, roughly=True)
    return select(state.since).where(state.has(dialect), is_placed).order_by(*oldest_first).limit(1)


def _oldest_due(dialect: Dialect, state: State) -> Select[Any]:
    """Since when the first waits that could be published by now, or was tried before."""
    first_try = outbox.c.attempts == 0
    since = case(
        (first_try, func.coalesce(outbox.c.available_at, outbox.c.created_at)),
        else_=outbox.c.created_at,
    )
    is_due = case((or_(is_available(dialect), ~first_try), since)).label("since")
    line = select(outbox.c.position, is_due).where(state.has(dialect))
    some = line.order_by(*state.along(dialect)).limit(COUNTED).subquery()
    due = select(some.c.since).where(some.c.since.is_not(None))
    return due.order_by(some.c.position).limit(1)
