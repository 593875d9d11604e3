"""Looks at the messages of outbox and inbox, a page at a time, however many there are."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, select

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.message import Message, columns_of, message_of
from app.building_blocks.operations.places import as_cursor, from_cursor
from app.building_blocks.operations.search import SEARCHED, Search, parts_to_search
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.operations.states import PUBLISHED, STATES, State, state_of

LONGEST_CHAIN = 200
_EPOCH = datetime.fromtimestamp(0, UTC)


class Page(NamedTuple):
    """Some messages, and where the next page begins; `searched_all` is False when one that fits
    may lie further on, past the rows that were looked at."""

    messages: list[Message]
    next: str | None
    searched_all: bool


class Count(NamedTuple):
    """How many messages fit; with `is_more` at least so many."""

    rows: int
    is_more: bool


class Messages:
    """Reads; it changes nothing."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database, self._secrets = database, secrets

    async def page(
        self,
        state: State,
        wanted: MessageFilter,
        after: str | None = None,
        limit: int = 50,
        *,
        payloads: bool = False,
    ) -> Page:
        """Messages of `state` that fit, from `after`, the end of an earlier page, on.

        Raises ValueError for an `after` that no page ended with.
        """
        start = None if after is None else from_cursor(state, after)
        search = Search(self._database.dialect, state, wanted)
        async with self._database.reader.connect() as connection:
            columns = self._columns(state, payloads=payloads)
            found = await search.find(connection, start, limit, *columns)
        messages = [self._shown(state, row, payload=payloads) for row in found.rows]
        end = None if found.end is None else as_cursor(found.end)
        return Page(messages, end, found.is_full or end is None)

    async def count(self, state: State, wanted: MessageFilter) -> Count:
        """How many of `state` fit, among the first that are searched."""
        search = Search(self._database.dialect, state, wanted)
        async with self._database.reader.connect() as connection:
            found = await search.find(connection, None, SEARCHED, *state.order)
        return Count(len(found.rows), found.end is not None)

    async def find(self, box: str, message_id: str, consumer: str | None = None) -> Message | None:
        """The message, in whichever state it is."""
        return next(iter(await self.find_all(box, message_id, consumer)), None)

    async def find_all(
        self, box: str, message_id: str, consumer: str | None = None
    ) -> list[Message]:
        """The message, in whichever state it is; once for each of its consumers."""
        wanted = MessageFilter(message_id=message_id, consumer=consumer)
        # In the order in which a message goes from table to table.
        tables = {state.table: state for state in STATES if state.box == box}
        found: list[Message] = []
        async with self._database.reader.connect() as connection:
            for table, state in tables.items():
                fits = wanted.conditions(state, self._database.dialect)
                rows = await connection.execute(select(table).where(*fits).limit(LONGEST_CHAIN))
                for row in rows.all():
                    its_state = state_of(box, getattr(row, "state", PUBLISHED))
                    found.append(self._shown(its_state, row, payload=True))
        return found

    async def chain(self, correlation_id: str) -> list[Message]:
        """What was published and handled for one request, in the order of time.

        Of what is not published yet, the oldest and the newest are searched, some thousand each.
        """
        found: dict[tuple[str, str, str | None], Message] = {}
        dialect = self._database.dialect
        async with self._database.reader.connect() as connection:
            for state in STATES:
                same = and_(state.has(dialect), state.table.c.correlation_id == correlation_id)
                for part in parts_to_search(dialect, state):
                    search = select(*self._columns(state)).where(same, part).limit(LONGEST_CHAIN)
                    for row in await connection.execute(search):
                        message = self._shown(state, row, payload=False)
                        found[message.box, message.message_id, message.consumer] = message
        return sorted(found.values(), key=lambda one: one.since or one.settled_at or _EPOCH)

    def _columns(self, state: State, *, payloads: bool = False) -> list[ColumnElement[Any]]:
        return columns_of(state, self._secrets, payloads=payloads)

    def _shown(self, state: State, row: Any, *, payload: bool) -> Message:
        return message_of(state, row, self._secrets, payload=payload)
