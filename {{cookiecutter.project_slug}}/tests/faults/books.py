"""What the database says: read directly, past the service and the proxies."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from app.building_blocks.databases.database import Database
from app.building_blocks.databases.migrations import Migrations
from app.building_blocks.inbox import table as inboxes
from app.building_blocks.outbox import table as outboxes
from app.database import open_database
from app.features.orders.domain import Order, OrderStatus
from app.features.payments.domain import Payment
from tests.faults.errors import CannotRunError

_UNFINISHED: dict[str, ColumnElement[bool]] = {
    "orders still created": col(Order.status) == OrderStatus.CREATED,
    "outbox rows waiting": outboxes.outbox.c.state == outboxes.WAITING,
    "inbox rows retrying": inboxes.inbox.c.state == inboxes.RETRYING,
}


class Books:
    """Reads the tables of the sample features and of the machinery."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require_migrations(self) -> None:
        """Raise CannotRunError when the tables are not there, or nobody answers."""
        try:
            problem = await Migrations(self._database).problem()
        except (SQLAlchemyError, OSError) as error:
            problem = f"The database does not answer: {error}. Start it, or change DATABASE_URL."
        if problem:
            raise CannotRunError(problem)

    async def orders(self) -> set[str]:
        """The ids of all orders."""
        async with self._database.reader.connect() as connection:
            return {str(id_) for id_ in await connection.scalars(select(col(Order.id)))}

    async def unfinished(self) -> dict[str, int]:
        """How many of each thing is still to be done. Dead rows wait for people."""
        counts = {}
        async with self._database.reader.connect() as connection:
            for name, condition in _UNFINISHED.items():
                counts[name] = await connection.scalar(select(func.count()).where(condition)) or 0
        return {name: count for name, count in counts.items() if count}

    async def reasons(self) -> list[str]:
        """Why rows of the outbox and the inbox are not done, one sentence for each."""
        outbox, inbox = outboxes.outbox.c, inboxes.inbox.c
        waiting = select(outbox.state, outbox.topic, outbox.key, outbox.attempts, outbox.last_error)
        failed = select(inbox.state, inbox.consumer, inbox.key, inbox.attempts, inbox.last_error)
        async with self._database.reader.connect() as connection:
            rows = [
                *(await connection.execute(waiting)),
                *(await connection.execute(failed.where(inbox.state != inboxes.HANDLED))),
            ]
        return [
            f"{state}: {who}, key {key}, attempts {n}: {why}" for state, who, key, n, why in rows
        ]

    async def payments(self) -> dict[str, list[str]]:
        """The statuses of all payments by their order."""
        found = defaultdict(list)
        async with self._database.reader.connect() as connection:
            statement = select(col(Payment.order_id), col(Payment.status))
            for order, status in await connection.execute(statement):
                found[str(order)].append(str(status))
        return dict(found)

    async def history(self) -> dict[str, list[str]]:
        """The topics published for each key, in the order in which they were."""
        found = defaultdict(list)
        published = outboxes.published.c
        async with self._database.reader.connect() as connection:
            statement = select(published.key, published.topic).order_by(published.id)
            for key, topic in await connection.execute(statement):
                found[str(key)].append(str(topic))
        return dict(found)


@asynccontextmanager
async def books(url: str) -> AsyncIterator[Books]:
    """Open for the length of a block."""
    database = open_database(url)
    try:
        yield Books(database)
    finally:
        await database.dispose()
