"""The searches among inbox rows that are to be tried again."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.inbox.table import RETRYING, inbox


def due_retries(
    dialect: Dialect, consumers: Sequence[str], ordered: Sequence[str]
) -> Select[tuple[str, str]]:
    """Message id and consumer of what is due, the longest due first.

    `ordered` are those of `consumers` whose later messages of a key wait for the earlier.
    """
    return (
        select(inbox.c.message_id, inbox.c.consumer)
        .where(is_due(dialect), inbox.c.consumer.in_(consumers))
        .where(or_(inbox.c.consumer.not_in(ordered), ~is_behind_another()))
        .order_by(inbox.c.next_attempt_at)
        # What another replica is at would otherwise stand in the way of what nobody is at.
        .with_for_update(skip_locked=True)
    )


def is_due(dialect: Dialect) -> ColumnElement[bool]:
    """It failed before, and its time has come by the database's clock."""
    return and_(inbox.c.state == RETRYING, inbox.c.next_attempt_at <= dialect.now())


def is_message(message_id: str, consumer: str) -> ColumnElement[bool]:
    """The one row of a message at a consumer."""
    return and_(inbox.c.message_id == message_id, inbox.c.consumer == consumer)


def is_behind_another() -> ColumnElement[bool]:
    """An earlier message of its key is still retried.

    Earlier is the time of arrival, and the id within one tick of the clock.
    """
    earlier = inbox.alias("earlier")
    return exists().where(
        earlier.c.consumer == inbox.c.consumer,
        earlier.c.key == inbox.c.key,
        earlier.c.state == RETRYING,
        or_(
            earlier.c.received_at < inbox.c.received_at,
            and_(
                earlier.c.received_at == inbox.c.received_at,
                earlier.c.message_id < inbox.c.message_id,
            ),
        ),
    )
