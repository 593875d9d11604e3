"""In which states a message can be, where its rows lie, and in which order they are listed."""

from typing import Any, Literal, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, and_, true

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.inbox.table import DEAD, DISCARDED, HANDLED, RETRYING, inbox
from app.building_blocks.outbox.table import DEAD as REFUSED
from app.building_blocks.outbox.table import WAITING, outbox, published

Box = Literal["outbox", "inbox"]
PUBLISHED = "published"


class State(NamedTuple):
    """Rows of `table` in one state. An index serves `order`, along which they are listed.

    `since` tells for how long a row has been in it. By `indexed` columns a row is found at once,
    by others it is searched for. Only of an `open` state can rows be tried again or discarded:
    nothing is left to do for the others.
    """

    box: Box
    name: str
    table: Table
    order: tuple[Column[Any], ...]
    since: Column[Any]
    descending: bool
    is_open: bool
    indexed: tuple[str, ...] = ("message_id",)

    def has(self, dialect: Dialect) -> ColumnElement[bool]:
        """Whether a row is in it."""
        if self.table is published:
            return true()
        state = self.table.c.state
        if self.is_range(dialect):
            return and_(state >= self.name, state <= self.name)
        return state == self.name

    def along(
        self, dialect: Dialect, *, descending: bool | None = None, roughly: bool = False
    ) -> list[ColumnElement[Any]]:
        """What to order by: in its own direction or the one that is said.

        `roughly` is without what tells rows of the same time apart.
        """
        order = self.order[:1] if roughly else self.order
        columns = (outbox.c.state, *order) if self.is_range(dialect) else order
        is_down = self.descending if descending is None else descending
        return [column.desc() if is_down else column.asc() for column in columns]

    def is_range(self, dialect: Dialect) -> bool:
        """Whether it is said as a range, and named in the order, to use the index of both."""
        return dialect.strays and self.table is outbox


def _outbox(name: str, *, descending: bool) -> State:
    since, order = outbox.c.created_at, (outbox.c.position,)
    return State("outbox", name, outbox, order, since, descending, True, ("message_id", "key"))


def _published() -> State:
    since = published.c.published_at
    return State("outbox", PUBLISHED, published, (since, published.c.id), since, True, False)


def _retrying() -> State:
    order = (inbox.c.next_attempt_at, *inbox.primary_key)
    return State("inbox", RETRYING, inbox, order, inbox.c.received_at, False, True)


def _settled(name: str, *, is_open: bool) -> State:
    since = inbox.c.handled_at
    return State("inbox", name, inbox, (since, *inbox.primary_key), since, True, is_open)


STATES = (
    _outbox(WAITING, descending=False),
    _outbox(REFUSED, descending=True),
    _published(),
    _retrying(),
    _settled(DEAD, is_open=True),
    _settled(HANDLED, is_open=False),
    _settled(DISCARDED, is_open=False),
)


def state_of(box: str, name: str) -> State:
    """Raises KeyError."""
    by_name: dict[tuple[str, str], State] = {(state.box, state.name): state for state in STATES}
    return by_name[box, name]
