"""Which outbox rows may be claimed now.

Each statement is put together once, which takes longer than to run it. A name in backticks is a
parameter of it.
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    and_,
    bindparam,
    or_,
    select,
    union,
)

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.table import WAITING, outbox

_MOST_KEYS = 5000


class DueRow(NamedTuple):
    """What a claim and a send need of a row. Its columns have these names."""

    position: int
    message_id: str
    topic: str
    key: str | None
    headers: dict[str, str] | None
    payload: str
    attempts: int


def keys_that_wait(dialect: Dialect) -> CompoundSelect[Any]:
    """Keys with a row that is claimed, before the position `last`, or was refused and is tried
    again later.

    They are few, and a dead row is neither; what is claimed is at the head of the line. As a part
    of `due_rows` some databases would ask for them again at each row of the backlog.
    """
    claimed = select(outbox.c.key).where(
        outbox.c.key.is_not(None),
        is_waiting(dialect),
        outbox.c.position < bindparam("last"),
        outbox.c.claimed_until >= dialect.now(),
    )
    refused = select(outbox.c.key).where(
        outbox.c.key.is_not(None),
        outbox.c.available_at > dialect.now(),
        outbox.c.attempts > 0,
    )
    return union(claimed, refused).limit(_MOST_KEYS)


def due_rows(dialect: Dialect) -> Select[Any]:
    """Up to `most` waiting rows from position `start` on whose time has come.

    Oldest first, and locked.
    """
    return (
        select(*(outbox.c[name] for name in DueRow._fields))
        .where(is_waiting(dialect), is_available(dialect), is_free(dialect))
        .where(outbox.c.position >= bindparam("start"))
        .order_by(*in_line(dialect))
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )


def due_rows_of_other_keys(dialect: Dialect) -> Select[Any]:
    """The same, except those of `keys`."""
    return due_rows(dialect).where(
        or_(outbox.c.key.is_(None), ~dialect.among(outbox.c.key, "keys"))
    )


def missed_rows(dialect: Dialect) -> Select[Any]:
    """Key and position of rows of `keys` that go before the `last` of `positions`, which are found.

    A claim that another publisher makes at this moment is invisible to `due_rows`, which skips
    what is locked; without this second look the next row of its key could overtake.
    """
    return select(outbox.c.key, outbox.c.position).where(
        outbox.c.state == WAITING,
        dialect.among(outbox.c.key, "keys"),
        outbox.c.position < bindparam("last"),
        ~dialect.among(outbox.c.position, "positions"),
        or_(is_available(dialect), outbox.c.attempts > 0),
    )


def earlier_rows(dialect: Dialect) -> Select[Any]:
    """Keys of up to `most` rows, but for the messages `known`, that new rows of `keys` follow."""
    return (
        select(outbox.c.key)
        .where(
            dialect.among(outbox.c.key, "keys"),
            outbox.c.state == WAITING,
            or_(is_available(dialect), outbox.c.attempts > 0),
            ~dialect.among(outbox.c.message_id, "known"),
        )
        .limit(bindparam("most", type_=Integer))
    )


def is_waiting(dialect: Dialect) -> ColumnElement[bool]:
    """It is not dead. Said so that the index of state and position finds it."""
    state = outbox.c.state
    return and_(state >= WAITING, state <= WAITING) if dialect.strays else state == WAITING


def in_line(dialect: Dialect) -> list[ColumnElement[Any]]:
    """What to order waiting rows by."""
    return [outbox.c.state, outbox.c.position] if dialect.strays else [outbox.c.position]


def is_available(dialect: Dialect) -> ColumnElement[bool]:
    """Its time has come, by the database's clock."""
    return or_(outbox.c.available_at.is_(None), outbox.c.available_at <= dialect.now())


def is_free(dialect: Dialect) -> ColumnElement[bool]:
    """Nobody's claim on it is still running."""
    return or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until < dialect.now())
