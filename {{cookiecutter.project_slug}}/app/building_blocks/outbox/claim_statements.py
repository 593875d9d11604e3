"""What a claim writes into the outbox; put together once, as the searches in `due` are.

`positions` are the rows to write to. `messages` and `tokens` are rows that a claim had, and the
tokens by which it still has them.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.due import is_free
from app.building_blocks.outbox.table import MOVED, outbox, published


def take(dialect: Dialect, lease: float) -> Update:
    """Claim rows for `token`, for `lease` seconds."""
    claim = {"claim_token": bindparam("token"), "claimed_until": dialect.later(lease)}
    return update(outbox).where(_at_positions(dialect), is_free(dialect)).values(claim)


def lock(dialect: Dialect) -> Select[Any]:
    """The positions of those that are still claimed, which nobody else can take meanwhile."""
    return select(outbox.c.position).where(_still_claimed(dialect)).with_for_update()


def free(dialect: Dialect) -> Update:
    """End the claim on those that are still claimed."""
    ended = {"claim_token": None, "claimed_until": None}
    return update(outbox).where(_still_claimed(dialect)).values(ended)


def move_to_published(dialect: Dialect) -> Insert:
    """Delete those that are still claimed, and keep them as published now."""
    columns = [outbox.c[name] for name in ("position", *MOVED)]
    gone = remove_claimed(dialect).returning(*columns).cte("gone")
    rows = select(*(gone.c[name] for name in MOVED), dialect.now()).order_by(gone.c.position)
    return insert(published).from_select([*MOVED, "published_at"], rows)


def remove_claimed(dialect: Dialect) -> Delete:
    """Delete those that are still claimed."""
    return delete(outbox).where(_still_claimed(dialect))


def copy_to_published(dialect: Dialect) -> Insert:
    """Keep rows, as published now."""
    rows = (
        select(*(outbox.c[name] for name in MOVED), dialect.now())
        .where(_at_positions(dialect))
        .order_by(outbox.c.position)
    )
    return insert(published).from_select([*MOVED, "published_at"], rows)


def remove(dialect: Dialect) -> Delete:
    """Delete rows."""
    return delete(outbox).where(_at_positions(dialect))


def _at_positions(dialect: Dialect) -> ColumnElement[bool]:
    return dialect.among(outbox.c.position, "positions")


def _still_claimed(dialect: Dialect) -> ColumnElement[bool]:
    those = dialect.among(outbox.c.message_id, "messages")
    return and_(those, dialect.among(outbox.c.claim_token, "tokens"))
