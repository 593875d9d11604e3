"""Which outbox rows may be claimed now."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.table import WAITING, outbox


def due_rows(dialect: Dialect) -> Select[Any]:
    """Waiting rows whose time has come, oldest first, locked; none whose key has to wait.

    A key waits while an earlier row of it is claimed, or was refused and is tried again later.
    """
    earlier = outbox.alias("earlier")
    key_has_to_wait = exists().where(
        earlier.c.key == outbox.c.key,
        earlier.c.position < outbox.c.position,
        earlier.c.state == WAITING,
        or_(
            earlier.c.claimed_until >= dialect.now(),
            and_(earlier.c.attempts > 0, earlier.c.available_at > dialect.now()),
        ),
    )
    return (
        select(outbox)
        .where(outbox.c.state == WAITING, is_available(dialect), is_free(dialect))
        .where(~key_has_to_wait)
        .order_by(outbox.c.position)
        .with_for_update(skip_locked=True)
    )


def missed_rows(dialect: Dialect, keys: Iterable[str], positions: Sequence[int]) -> Select[Any]:
    """Key and position of rows that go before some of `positions` and are not among them.

    A claim that another publisher makes at this moment is invisible to `due_rows`, which skips
    what is locked; without this second look the next row of its key could overtake.
    """
    return select(outbox.c.key, outbox.c.position).where(
        outbox.c.state == WAITING,
        outbox.c.key.in_(keys),
        outbox.c.position < max(positions),
        outbox.c.position.not_in(positions),
        or_(is_available(dialect), outbox.c.attempts > 0),
    )


def is_available(dialect: Dialect) -> ColumnElement[bool]:
    """Its time has come, by the database's clock."""
    return or_(outbox.c.available_at.is_(None), outbox.c.available_at <= dialect.now())


def is_free(dialect: Dialect) -> ColumnElement[bool]:
    """Nobody's claim on it is still running."""
    return or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until < dialect.now())
