"""Finds the rows that a claim may take."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.due import (
    DueRow,
    due_rows,
    due_rows_of_other_keys,
    keys_that_wait,
    missed_rows,
)
from app.building_blocks.outbox.start import Start

_MOST_SEARCHES = 5


class DueRows:
    """Looks for them from where the last claim of this publisher found some."""

    def __init__(self, dialect: Dialect) -> None:
        self._due, self._due_of_other_keys = due_rows(dialect), due_rows_of_other_keys(dialect)
        self._keys_that_wait, self._missed = keys_that_wait(dialect), missed_rows(dialect)
        self._start = Start()

    async def find(self, connection: AsyncConnection, limit: int) -> list[DueRow]:
        """Up to `limit` due rows, oldest first and locked, of keys that do not have to wait."""
        start = self._start.look()
        rows = await self._search(connection, start, limit)
        self._start.found([row.position for row in rows], limit)
        return rows

    async def _search(self, connection: AsyncConnection, start: int, limit: int) -> list[DueRow]:
        """When keys have to wait, those of others are looked for behind them."""
        busy: set[str] = set()
        for number in range(_MOST_SEARCHES):
            search = self._due_of_other_keys if busy else self._due
            where = {"start": start, "most": limit} | ({"keys": list(busy)} if busy else {})
            due = [DueRow(*row) for row in await connection.execute(search, where)]
            rows = await self._without_overtaking(connection, due)
            if len(rows) == len(due) or (rows and number):
                break
            last = {"last": max(row.position for row in due)}
            busy.update(await connection.scalars(self._keys_that_wait, last))
            busy |= {row.key for row in due if row.key} - {row.key for row in rows}
        return rows

    async def _without_overtaking(
        self, connection: AsyncConnection, rows: Sequence[DueRow]
    ) -> list[DueRow]:
        """Drop rows behind an earlier one of their key that another publisher just took."""
        first_missed: dict[str | None, int] = {}
        if keys := {row.key for row in rows if row.key is not None}:
            positions = [row.position for row in rows]
            which = {"keys": list(keys), "positions": positions, "last": max(positions)}
            for key, position in await connection.execute(self._missed, which):
                first_missed[key] = min(position, first_missed.get(key, position))
        if not first_missed:
            return list(rows)
        return [row for row in rows if row.position < first_missed.get(row.key, row.position + 1)]
