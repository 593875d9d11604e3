"""The inbox: one row for each message and consumer, written with the handler's effects.

The pattern is the idempotent consumer (Richardson, Microservices Patterns), extended by durable
retries: a failed message waits in its row, not in the broker.
"""

import asyncio
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Row, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.context import current_context
from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.inbox.retries import due_retries, is_due, is_message
from app.building_blocks.inbox.rows import columns
from app.building_blocks.inbox.table import DEAD, HANDLED, RETRYING, inbox
from app.building_blocks.text import storable

_ALL = true()


class Inbox:
    """The statements on the inbox table, and room for so many handlers of this process at once.

    Each runs in the transaction of its caller."""

    def __init__(self, dialect: Dialect, *, handlers_at_once: int = 15) -> None:
        self._dialect = dialect
        # Each holds a connection; the rest of the pool is for requests and the publisher.
        self.room = asyncio.Semaphore(handlers_at_once)

    async def admit(
        self,
        connection: AsyncConnection,
        message_id: str,
        consumer: str,
        message: BrokerMessage,
        *,
        to_run_later: bool = False,
    ) -> bool:
        """Write the message down as handled. False when this consumer has it already.

        With `to_run_later` it is written down as due instead, for the retrier. Waits for a
        concurrent delivery of the same message to commit or roll back.
        """
        row = columns(message_id, consumer, message, current_context())
        if to_run_later:
            row |= {"state": RETRYING, "attempts": 0}
            times = ("received_at", "next_attempt_at")
        else:
            row |= {"state": HANDLED, "attempts": 1}
            times = ("received_at", "handled_at")
        return await self._dialect.insert_if_absent(connection, inbox, row, times)

    async def admit_all(self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> bool:
        """Write down as handled what the `columns` of each row say, all in one statement.

        False when one of them is there already: then the transaction has to be rolled back.
        """
        # All replicas take the same locks in the same order.
        in_order = sorted(rows, key=itemgetter("message_id"))
        handled = [row | {"state": HANDLED, "attempts": 1} for row in in_order]
        times = ("received_at", "handled_at")
        try:
            await self._dialect.insert_all(connection, inbox, handled, times)
        except IntegrityError:
            return False
        return True

    async def due(
        self,
        connection: AsyncConnection,
        consumers: Sequence[str],
        ordered: Sequence[str],
        limit: int,
        mine: ColumnElement[bool] = _ALL,
    ) -> list[Row[tuple[str, str]]]:
        """Message id and consumer of up to `limit` retries whose time has come, of `mine`."""
        search = due_retries(self._dialect, consumers, ordered).where(mine).limit(limit)
        return list(await connection.execute(search))

    async def take_due(
        self, connection: AsyncConnection, message_id: str, consumer: str
    ) -> Row[Any] | None:
        """Lock the row for this transaction; None when it is not due or somebody else has it.

        The lock lasts as long as the handler runs and goes with the process, so that no lease
        can end too early or too late.
        """
        rows = await connection.execute(
            select(inbox)
            .where(is_message(message_id, consumer), is_due(self._dialect))
            .with_for_update(skip_locked=True)
        )
        return rows.one_or_none()

    async def mark_handled(
        self, connection: AsyncConnection, message_id: str, consumer: str, attempts: int
    ) -> None:
        """The handler has done it, at last."""
        await self._write(
            connection, message_id, consumer,
            state=HANDLED, attempts=attempts, handled_at=self._dialect.now(), next_attempt_at=None,
        )  # fmt: skip

    async def mark_failed(
        self, connection: AsyncConnection, message_id: str, consumer: str,
        attempts: int, error: str, retry_in: float | None,
    ) -> None:  # fmt: skip
        """Run number `attempts` failed: try again in `retry_in` seconds, or never (None)."""
        await self._write(
            connection, message_id, consumer,
            state=DEAD if retry_in is None else RETRYING,
            attempts=attempts,
            handled_at=self._dialect.now() if retry_in is None else None,
            next_attempt_at=None if retry_in is None else self._dialect.later(retry_in),
            last_error=storable(error),
        )  # fmt: skip

    async def _write(
        self, connection: AsyncConnection, message_id: str, consumer: str, **values: Any
    ) -> None:
        result = await connection.execute(
            update(inbox).where(is_message(message_id, consumer)).values(**values)
        )
        if result.rowcount != 1:
            # A deadlock makes some databases roll back all of the transaction, not a part.
            raise InboxRowLostError(f"{consumer}: the row of message {message_id} is gone")


class InboxRowLostError(Exception):
    """The transaction that held the row was rolled back; the delivery has to come again."""
