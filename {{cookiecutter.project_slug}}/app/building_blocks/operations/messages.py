"""Looks at the messages of outbox and inbox, a page at a time, however many there are."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, select

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.places import as_cursor, from_cursor
from app.building_blocks.operations.search import SEARCHED, Search, parts_to_search
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.operations.states import PUBLISHED, STATES, State, state_of
from app.building_blocks.operations.times import in_utc

LONGEST_CHAIN = 200
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """One row, for people. `payload` is JSON with its secrets hidden; times are in UTC.

    `due_at` is when it is tried next, `settled_at` when nothing more was to be done.
    """

    box: str
    state: str
    message_id: str
    consumer: str | None
    topic: str
    key: str | None
    attempts: int
    since: datetime | None
    due_at: datetime | None
    settled_at: datetime | None
    last_error: str | None
    headers: dict[str, str]
    payload: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages, and where the next page begins; `searched_all` is False when one that fits
    may lie further on, past the rows that were looked at."""

    messages: list[Message]
    next: str | None
    searched_all: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many messages fit; with `is_more` at least so many."""

    rows: int
    is_more: bool


class Messages:
    """Reads; it changes nothing."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database, self._secrets = database, secrets

    async def page(
        self, state: State, wanted: MessageFilter, after: str | None = None, limit: int = 50
    ) -> Page:
        """Messages of `state` that fit, from `after`, the end of an earlier page, on.

        Raises ValueError for an `after` that no page ended with.
        """
        start = None if after is None else from_cursor(state, after)
        search = Search(self._database.dialect, state, wanted)
        async with self._database.reader.connect() as connection:
            found = await search.find(connection, start, limit, state.table)
        messages = [self._shown(state, row) for row in found.rows]
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
                found += (
                    self._shown(state_of(box, getattr(row, "state", PUBLISHED)), row)
                    for row in rows.all()
                )
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
                    search = select(state.table).where(same, part).limit(LONGEST_CHAIN)
                    for row in await connection.execute(search):
                        message = self._shown(state, row)
                        found[message.box, message.message_id, message.consumer] = message
        return sorted(found.values(), key=lambda one: one.since or one.settled_at or _EPOCH)

    def _error_of(self, row: Any) -> str | None:
        error = getattr(row, "last_error", None)
        return error and self._secrets.kept_out_of(error, row.topic, row.payload)

    def _shown(self, state: State, row: Any) -> Message:
        return Message(
            state.box,
            state.name,
            row.message_id,
            getattr(row, "consumer", None),
            row.topic,
            row.key,
            row.attempts,
            in_utc(getattr(row, "received_at", None) or getattr(row, "created_at", None)),
            in_utc(getattr(row, "next_attempt_at", None) or getattr(row, "available_at", None)),
            in_utc(getattr(row, "handled_at", None) or getattr(row, "published_at", None)),
            self._error_of(row),
            dict(row.headers or {}),
            self._secrets.shown(row.topic, row.payload),
        )
