"""One transaction and what it touched (Fowler, Unit of Work)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from app.building_blocks.aggregate import AggregateRoot
from app.building_blocks.databases.database import Database
from app.building_blocks.errors import NotFoundError
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.messages import Command, DomainEvent, R
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.envelope import Envelope
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.touched import touched_by

Send = Callable[["UnitOfWork", Command[Any]], Awaitable[Any]]
A = TypeVar("A", bound=AggregateRoot)


class UnitOfWork:
    """What a command handler works with; it never commits by itself.

    Whoever opened it commits everything together: the aggregates, and the integration events
    that their domain events were converted to.
    """

    def __init__(
        self, session: AsyncSession, database: Database, outbox: Outbox, send: Send
    ) -> None:
        self.session = session
        self.claimed: list[ClaimedRow] = []
        self.others_wait = False
        self.is_lost = False
        self._database, self._outbox = database, outbox
        self._send = send
        self._pending: list[Envelope] = []
        self._set_aside: list[DomainEvent] = []

    def add(self, aggregate: AggregateRoot) -> None:
        """Insert `aggregate` with this transaction."""
        self.session.add(aggregate)

    async def get(self, kind: type[A], id: Any) -> A:
        """Load the aggregate. Raises NotFoundError."""
        aggregate = await self.session.get(kind, id)
        if aggregate is None:
            raise NotFoundError(kind.__name__, id)
        return aggregate

    async def send(self, command: Command[R]) -> R:
        """Carry out another command in this same transaction."""
        result: R = await self._send(self, command)
        return result

    def publish(
        self,
        event: IntegrationEvent,
        *,
        headers: Mapping[str, str] | None = None,
        delay: timedelta | None = None,
        deliver_at: datetime | None = None,
    ) -> None:
        """Put `event` into the outbox, with this transaction.

        It goes out after `delay`, or not before `deliver_at`; else at once after the commit.
        """
        seconds = delay.total_seconds() if delay else 0.0
        self._pending.append(Envelope(event, headers, seconds, deliver_at))

    def pull_events(self) -> list[DomainEvent]:
        """The domain events recorded since the last call by every aggregate touched so far."""
        set_aside, self._set_aside = self._set_aside, []
        # A batch touches many, of which few have something new.
        having = [one for one in touched_by(self.session) if one.has_recorded]
        recorded = [pair for one in having for pair in one.pull_recorded()]
        return set_aside + [event for _, event in sorted(recorded, key=itemgetter(0))]

    async def connection(self) -> AsyncConnection:
        """The transaction below the session, for the machinery's own tables."""
        return await self.session.connection()

    async def flush(self) -> None:
        """Send the changes to the database, business rows first, then the outbox rows.

        In this order two transactions on one aggregate wait for each other before their outbox
        rows get a position, so that positions follow the order of the commits.
        Raises what a swallowed error has done to the transaction: nothing of it would stay.
        """
        connection = await self.connection()
        await self._database.require_alive(connection)
        await self.session.flush()
        pending, self._pending = self._pending, []
        if pending:
            # What a savepoint may undo must not be with the publisher already.
            is_safe = not connection.in_nested_transaction()
            claimed = await self._outbox.write(connection, pending, may_claim=is_safe)
            self.claimed += claimed
            self.others_wait = self.others_wait or len(claimed) < len(pending)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part of the transaction that can fail alone, with its events and outbox rows."""
        # What came before must not fail with this part.
        await self.flush()
        before, others_wait = self.pull_events(), self.others_wait
        cause: BaseException | None = None
        try:
            async with self.session.begin_nested():
                try:
                    yield
                    await self.flush()
                except BaseException as error:
                    cause = error
                    raise
        except BaseException as error:
            # The way back failed too: after a deadlock some databases have rolled back it all.
            self.is_lost = error is not cause
            self.pull_events()
            self._pending.clear()
            self.others_wait = others_wait
            raise
        finally:
            self._set_aside = before + self._set_aside
