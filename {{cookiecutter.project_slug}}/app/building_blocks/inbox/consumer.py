"""A consumer: one integration event handler of one service, with its inbox."""

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.context import CAUSATION_ID, CORRELATION_ID, carrying
from app.building_blocks.feature import Subscription
from app.building_blocks.inbox.dead_letters import Announcer, DeadLetter
from app.building_blocks.inbox.inbox import Inbox, InboxRowLostError
from app.building_blocks.inbox.reading import UnreadableMessageError, message_id_of, read_event
from app.building_blocks.inbox.turns import Turns
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.unit_of_work import UnitOfWork
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)


class Consumer:
    """Runs the handler of one subscription, once in effect for each message.

    The inbox row, what the handler changed and what it published commit together. When the
    handler raises, its part is rolled back and the row says when to try again.
    """

    def __init__(
        self,
        service: str,
        subscription: Subscription,
        inbox: Inbox,
        mediator: Mediator,
        metrics: Metrics,
        announcer: Announcer,
        default_retry: RetryPolicy,
        retrying: WakeUp,
    ) -> None:
        self.name = f"{service}.{subscription.name}"
        self.topic = subscription.event.topic
        self.ordered = subscription.ordered
        self.retry_policy = subscription.policy(default_retry)
        self._event = subscription.event
        self._handler = subscription.handler
        self._inbox = inbox
        self._mediator = mediator
        self._metrics = metrics
        self._announcer = announcer
        self._retrying = retrying
        self._is_away = mediator.database.is_away
        self._turns = Turns()

    async def receive(self, message: BrokerMessage) -> None:
        """Handle one delivery. Raises only when the database cannot be used right now."""
        run = _Run(message_id_of(message), message)
        with self._context_of(run):
            if self.ordered:
                await self._line_up(run)
            else:
                await self._handle(run)

    async def _line_up(self, run: "_Run") -> None:
        """Leave it to the retrier, which sees the whole line of its key, on every replica."""
        async with self._turns.of(run.message.key), self._mediator.unit_of_work() as uow:
            if not await self._admit(uow, run, to_run_later=True):
                self._metrics.duplicates.labels(self.name).inc()
        self._retrying.set()

    async def _handle(self, run: "_Run") -> None:
        async with self._announcer.after_commit() as letters:
            try:
                async with self._mediator.unit_of_work() as uow:
                    if await self._admit(uow, run):
                        letters.extend(await self._attempt(uow, run))
                    else:
                        self._metrics.duplicates.labels(self.name).inc()
            except _TransactionLostError as lost:
                async with self._mediator.unit_of_work() as uow:
                    if await self._admit(uow, run):
                        letters.extend(await self._failed(uow, run, lost.error))

    async def retry(self, message_id: str) -> bool:
        """Handle a message again whose time has come. False when somebody else is at it."""
        async with self._announcer.after_commit() as letters:
            try:
                async with self._mediator.unit_of_work() as uow:
                    run = await self._take_due(uow, message_id)
                    if run is None:
                        return False
                    with self._context_of(run):
                        letters.extend(await self._attempt(uow, run))
            except _TransactionLostError as lost:
                async with self._mediator.unit_of_work() as uow:
                    again = await self._take_due(uow, message_id)
                    if again is not None and again.number == lost.run.number:
                        letters.extend(await self._failed(uow, again, lost.error))
        return True

    async def _admit(self, uow: UnitOfWork, run: "_Run", *, to_run_later: bool = False) -> bool:
        connection = await uow.connection()
        return await self._inbox.admit(
            connection, run.message_id, self.name, run.message, to_run_later=to_run_later
        )

    async def _take_due(self, uow: UnitOfWork, message_id: str) -> "_Run | None":
        row = await self._inbox.take_due(await uow.connection(), message_id, self.name)
        if row is None:
            return None
        message = BrokerMessage(row.topic, row.payload, row.headers, row.key)
        return _Run(message_id, message, row.attempts + 1, is_retry=True)

    async def _attempt(self, uow: UnitOfWork, run: "_Run") -> list[DeadLetter]:
        try:
            event = read_event(run.message, self._event)
            with self._metrics.handling_seconds.labels(self.name).time():
                async with uow.savepoint(), asyncio.timeout(self.retry_policy.timeout):
                    await self._handler(event, self._mediator.within(uow))
        except Exception as error:
            if self._is_away(error):
                # Not the handler's failure: the broker brings the message back.
                raise
            try:
                return await self._failed(uow, run, error)
            except (SQLAlchemyError, InboxRowLostError) as lost:
                # A deadlock, or a timeout in the middle of a statement, ends all of it.
                raise _TransactionLostError(run, error) from lost
        if run.is_retry:
            connection = await uow.connection()
            await self._inbox.mark_handled(connection, run.message_id, self.name, run.number)
        self._metrics.handled.labels(self.name).inc()
        return []

    async def _failed(self, uow: UnitOfWork, run: "_Run", error: Exception) -> list[DeadLetter]:
        is_final = isinstance(error, UnreadableMessageError)
        retry_in = None if is_final else self.retry_policy.delay_after(run.number, error)
        why = f"{type(error).__name__}: {error}"
        await self._inbox.mark_failed(
            await uow.connection(), run.message_id, self.name, run.number, why, retry_in
        )
        self._metrics.failed.labels(self.name).inc()
        if retry_in is not None:
            log.warning("handler failed", attempts=run.number, error=why, retry_in=retry_in)
            return []
        self._metrics.dead.labels(self.name).inc()
        log.error("dead letter", attempts=run.number, exc_info=error)
        key = run.message.key
        return [DeadLetter(run.message_id, self.name, self.topic, key, run.number, why)]

    def _context_of(self, run: "_Run") -> AbstractContextManager[None]:
        return carrying(
            {CORRELATION_ID: run.message_id, **run.message.headers, CAUSATION_ID: run.message_id},
            message_id=run.message_id,
            consumer=self.name,
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the handler: which message, and for the how many-th time."""

    message_id: str
    message: BrokerMessage
    number: int = 1
    is_retry: bool = False


class _TransactionLostError(Exception):
    """The handler failed with `error`, and its transaction is past recording that."""

    def __init__(self, run: _Run, error: Exception) -> None:
        super().__init__(str(error))
        self.run = run
        self.error = error
