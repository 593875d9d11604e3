"""Searches a state along the order of its listing, so many rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, and_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.places import Place, behind, place_of, up_to
from app.building_blocks.operations.states import State

SEARCHED = 10_000
"""How many rows one search looks at: a search for a rare text must end, too."""
SEARCHED_FOR_CHAIN = 2_000
"""How many at either end for one request, where there is no index of correlation ids."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that fit. `end` is where to go on; None when there is nothing further.

    `is_full` says that there are more than were asked for, not that the search was broken off.
    """

    rows: Sequence[Row[Any]]
    end: Place | None
    is_full: bool = False


class Search:
    """What `wanted` means among the rows of `state`."""

    def __init__(self, dialect: Dialect, state: State, wanted: MessageFilter) -> None:
        self._dialect, self._state, self._wanted = dialect, state, wanted
        self.conditions = [state.has(dialect), *wanted.conditions(state, dialect)]

    async def find(
        self,
        connection: AsyncConnection,
        start: Place | None,
        limit: int,
        *what: Table | Column[Any],
    ) -> Found:
        """`what` of up to `limit` rows that fit, listed after `start`."""
        state, fits = self._state, list(self.conditions)
        # Where the search ends is settled first: rows come and go between two statements.
        end = None if self._wanted.is_quick(state) else await self._end(connection, start)
        if start is not None:
            fits.append(behind(self._dialect, state, start))
        if end is not None:
            fits.append(up_to(self._dialect, state, end))
        search = select(*what).where(*fits).order_by(*state.along(self._dialect)).limit(limit + 1)
        rows = (await connection.execute(search)).all()
        if len(rows) > limit:
            return Found(rows[:limit], place_of(state, rows[limit - 1]), is_full=True)
        return Found(rows, end)

    async def _end(self, connection: AsyncConnection, start: Place | None) -> Place | None:
        along = [] if start is None else [behind(self._dialect, self._state, start)]
        if self._state.since is self._state.order[0]:
            along += self._wanted.times(self._state)
        return await place_at(connection, self._dialect, self._state, SEARCHED, *along)


async def place_at(
    connection: AsyncConnection,
    dialect: Dialect,
    state: State,
    number: int,
    *along: ColumnElement[bool],
    backwards: bool = False,
) -> Place | None:
    """The `number`th row of `state` for which `along` is true; None when there are fewer."""
    search = select(*state.order).where(state.has(dialect), *along)
    order = state.along(dialect, descending=state.descending != backwards)
    row = (await connection.execute(search.order_by(*order).offset(number - 1).limit(1))).first()
    return None if row is None else tuple(row)


async def parts_to_search(
    connection: AsyncConnection, dialect: Dialect, state: State
) -> list[ColumnElement[bool]]:
    """All of a state with an index of correlation ids; else where its listing begins and ends."""
    if state.table.c.correlation_id.index:
        return [true()]
    first = await place_at(connection, dialect, state, SEARCHED_FOR_CHAIN)
    last = await place_at(connection, dialect, state, SEARCHED_FOR_CHAIN, backwards=True)
    if first is None or last is None:
        return [true()]
    ends = (behind(dialect, state, end) for end in (first, last))
    return [up_to(dialect, state, first), and_(*ends)]
