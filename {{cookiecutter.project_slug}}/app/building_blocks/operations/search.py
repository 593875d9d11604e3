"""Searches a state along the order of its listing, so many rows at a time."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.places import Place, behind, from_place, place_of, up_to
from app.building_blocks.operations.states import State

SEARCHED = 10_000
"""How many rows one search looks at: a search for a rare text must end, too."""
SEARCHED_FOR_CHAIN = 2_000
"""How many at either end for one request, where there is no index of correlation ids."""


class Found(NamedTuple):
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
        *what: ColumnElement[Any],
    ) -> Found:
        """`what` of up to `limit` rows that fit, listed after `start`."""
        dialect, state, fits = self._dialect, self._state, list(self.conditions)
        # Where the search ends is settled first: rows come and go between two statements.
        end = None if self._wanted.is_quick(state) else await self._at(connection, start, SEARCHED)
        if end is not None:
            first = start or await self._at(connection, None, 1)
            # Between two ends: from one on, a planner may expect half of the table.
            fits += [from_place(dialect, state, first or end), up_to(dialect, state, end)]
        if start is not None:
            fits.append(behind(dialect, state, start))
        search = select(*what).where(*fits).order_by(*state.along(dialect)).limit(limit + 1)
        rows = (await connection.execute(search)).all()
        if len(rows) > limit:
            return Found(rows[:limit], place_of(state, rows[limit - 1]), is_full=True)
        return Found(rows, end)

    async def _at(
        self, connection: AsyncConnection, start: Place | None, number: int
    ) -> Place | None:
        """The `number`th row after `start`, whether it fits or not; None when there are fewer."""
        dialect, state = self._dialect, self._state
        along = [] if start is None else [behind(dialect, state, start)]
        if state.since is state.order[0]:
            along += self._wanted.times(state)
        search = select(*state.order).where(state.has(dialect), *along)
        line = search.order_by(*state.along(dialect)).offset(number - 1).limit(1)
        row = (await connection.execute(line)).first()
        return None if row is None else tuple(row)


def parts_to_search(dialect: Dialect, state: State) -> list[ColumnElement[bool]]:
    """All of a state with an index of correlation ids; else where its listing begins and ends."""
    if state.table.c.correlation_id.index:
        return [true()]
    position, parts = state.order[0], list[ColumnElement[bool]]()
    for descending in (False, True):
        line = select(position).where(state.has(dialect))
        some = line.order_by(*state.along(dialect, descending=descending))
        # By its keys: a range of them would lead some planners past all the rows between.
        parts.append(position.in_(select(some.limit(SEARCHED_FOR_CHAIN).subquery())))
    return parts
