"""What an operator can do with messages that wait or were given up."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Delete, Row, Update, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import DEAD, DISCARDED, RETRYING, inbox
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.search import SEARCHED, Search
from app.building_blocks.operations.states import State
from app.building_blocks.outbox.due import is_free
from app.building_blocks.outbox.table import WAITING, outbox
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger("app.audit")

Change = Update | Delete
_AT_ONCE = 500


class Actions:
    """Tries again or discards, one message or all that fit, and says who did it in the log.

    Some hundred messages at a time, each in one transaction, so that nobody waits for long. Of
    two calls at once one changes each message and the other does not; what a publisher or a
    handler is at is left alone. Both raise ValueError for a state of which nothing is left to do.
    """

    def __init__(self, database: Database, publishing: WakeUp, retrying: WakeUp) -> None:
        self._database = database
        self._wake = {"outbox": publishing, "inbox": retrying}

    async def retry(self, state: State, wanted: MessageFilter, by: str) -> int:
        """Publish or handle those now, with all of their attempts; how many there were."""
        now: dict[str, Change] = {
            # In the order in which they came.
            "inbox": update(inbox).values(
                state=RETRYING, attempts=0, handled_at=None, next_attempt_at=inbox.c.received_at
            ),
            "outbox": update(outbox).values(state=WAITING, attempts=0, available_at=None),
        }
        is_over = state.name == DEAD
        return await self._change("messages retried", state, wanted, now[state.box], by, is_over)

    async def discard(self, state: State, wanted: MessageFilter, by: str) -> int:
        """Never publish or handle those; how many there were.

        An inbox row stays, so that a duplicate is known for what it is.
        """
        never: dict[str, Change] = {
            "inbox": update(inbox).values(
                state=DISCARDED, next_attempt_at=None, handled_at=self._database.dialect.now()
            ),
            "outbox": delete(outbox),
        }
        return await self._change("messages discarded", state, wanted, never[state.box], by, True)

    async def _change(
        self, what: str, state: State, wanted: MessageFilter, how: Change, by: str, is_over: bool
    ) -> int:
        """`is_over` says that a change takes a message out of its state."""
        if not state.is_open:
            raise ValueError(f"what is {state.name} in the {state.box} is done already")
        changed = 0
        try:
            async for number in self._changes(state, wanted, how, is_over):
                changed += number
        finally:
            self._note(what, state, wanted, by, changed)
            if changed:
                self._wake[state.box].set()
        return changed

    async def _changes(
        self, state: State, wanted: MessageFilter, how: Change, is_over: bool
    ) -> AsyncIterator[int]:
        search, start = Search(self._database.dialect, state, wanted), None
        fits = and_(*search.conditions)
        if state.table is outbox:
            # A row that a publisher holds may be at the broker already.
            fits = and_(fits, is_free(self._database.dialect))
        changed = passed_by = 0
        while True:
            # Found without a lock, and looked at once more with one.
            async with self._database.reader.connect() as connection:
                found = await search.find(connection, start, SEARCHED, *state.order)
            for at in range(0, len(found.rows), _AT_ONCE):
                these = found.rows[at : at + _AT_ONCE]
                number = await self._change_these(these, state, fits, how)
                changed, passed_by = changed + number, passed_by + len(these) - number
                yield number
            start = found.end
            if start is None:
                if not (is_over and changed and passed_by):
                    return
                # Somebody held some of them, perhaps only for a moment.
                changed = passed_by = 0

    async def _change_these(
        self, rows: Sequence[Row[Any]], state: State, fits: ColumnElement[bool], how: Change
    ) -> int:
        keys = list(state.table.primary_key)

        async def work(connection: AsyncConnection) -> int:
            number = 0
            for these in _sets_of(state, rows):
                lock = select(*keys).where(these, fits).with_for_update(skip_locked=True)
                mine = (await connection.execute(lock)).all()
                for mine_of_these in _sets_of(state, mine):
                    await connection.execute(how.where(mine_of_these))
                number += len(mine)
            return number

        return await self._database.run(work)

    def _note(self, what: str, state: State, wanted: MessageFilter, by: str, changed: int) -> None:
        given = {name: value for name, value in wanted._asdict().items() if name != "hidden"}
        means = {name: str(value) for name, value in given.items() if value is not None}
        log.info(what, by=by, box=state.box, state=state.name, messages=changed, filter=means)


def _sets_of(state: State, rows: Sequence[Row[Any]]) -> list[ColumnElement[bool]]:
    """Conditions by which the primary key leads to `rows`, on every database."""
    if state.table is outbox:
        return [outbox.c.position.in_([row.position for row in rows])] if rows else []
    ids: dict[str, list[str]] = {}
    for row in rows:
        ids.setdefault(row.consumer, []).append(row.message_id)
    return [
        and_(inbox.c.message_id.in_(some), inbox.c.consumer == consumer)
        for consumer, some in ids.items()
    ]
