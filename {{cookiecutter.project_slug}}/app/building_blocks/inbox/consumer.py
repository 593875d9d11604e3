"""A consumer: one integration event handler of one service, with its inbox."""

import asyncio
from contextlib import AbstractContextManager

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
    ) -> None:
        self.name = f"{service}.{subscription.name}"
        self.topic = subscription.event.topic
        self.ordered = subscription.ordered
        self.retry_policy = subscription.retry or default_retry
        self._event = subscription.event
        self._handler = subscription.handler
        self._inbox = inbox
        self._mediator = mediator
        self._metrics = metrics
        self._announcer = announcer
        self._turns = Turns()

    async def receive(self, message: BrokerMessage) -> None:
        """Handle one delivery. Raises only when the database cannot be used right now."""
        message_id = message_id_of(message)
        turn = message.key if self.ordered else None
        async with self._turns.of(turn), self._announcer.after_commit() as letters:
            with self._context_of(message_id, message):
                try:
                    async with self._mediator.unit_of_work() as uow:
                        if await self._is_to_run_now(uow, message_id, message):
                            letters.extend(await self._attempt(uow, message_id, message, 1))
                except _TransactionLostError as lost:
                    async with self._mediator.unit_of_work() as uow:
                        if await self._is_to_run_now(uow, message_id, message):
                            failed = self._failed(uow, message_id, message, 1, lost.error)
                            letters.extend(await failed)

    async def retry(self, message_id: str) -> bool:
        """Handle a message again whose time has come. False when somebody else is at it."""
        async with self._announcer.after_commit() as letters:
            try:
                async with self._mediator.unit_of_work() as uow:
                    row = await self._inbox.take_due(await uow.connection(), message_id, self.name)
                    if row is None:
                        return False
                    message = BrokerMessage(row.topic, row.payload, row.headers, row.key)
                    attempts = row.attempts + 1
                    with self._context_of(message_id, message):
                        letters.extend(await self._attempt(uow, message_id, message, attempts))
            except _TransactionLostError as lost:
                async with self._mediator.unit_of_work() as uow:
                    row = await self._inbox.take_due(await uow.connection(), message_id, self.name)
                    if row is not None and row.attempts + 1 == attempts:
                        failed = self._failed(uow, message_id, message, attempts, lost.error)
                        letters.extend(await failed)
        return True

    async def _is_to_run_now(
        self, uow: UnitOfWork, message_id: str, message: BrokerMessage
    ) -> bool:
        connection = await uow.connection()
        if not await self._inbox.admit(connection, message_id, self.name, message):
            self._metrics.duplicates.labels(self.name).inc()
            return False
        if self.ordered and await self._inbox.has_to_wait(connection, message_id, self.name):
            await self._inbox.mark_waiting(connection, message_id, self.name)
            return False
        return True

    async def _attempt(
        self, uow: UnitOfWork, message_id: str, message: BrokerMessage, attempts: int
    ) -> list[DeadLetter]:
        try:
            event = read_event(message, self._event)
            with self._metrics.handling_seconds.labels(self.name).time():
                async with uow.savepoint(), asyncio.timeout(self.retry_policy.timeout):
                    await self._handler(event, self._mediator.within(uow))
        except Exception as error:
            try:
                return await self._failed(uow, message_id, message, attempts, error)
            except (SQLAlchemyError, InboxRowLostError) as lost:
                # A deadlock, or a timeout in the middle of a statement, ends all of it.
                raise _TransactionLostError(error) from lost
        if attempts > 1:
            await self._inbox.mark_handled(await uow.connection(), message_id, self.name, attempts)
        self._metrics.handled.labels(self.name).inc()
        return []

    async def _failed(
        self,
        uow: UnitOfWork,
        message_id: str,
        message: BrokerMessage,
        attempts: int,
        error: Exception,
    ) -> list[DeadLetter]:
        is_final = isinstance(error, UnreadableMessageError)
        retry_in = None if is_final else self.retry_policy.delay_after(attempts, error)
        reason = f"{type(error).__name__}: {error}"
        await self._inbox.mark_failed(
            await uow.connection(), message_id, self.name, attempts, reason, retry_in
        )
        self._metrics.failed.labels(self.name).inc()
        if retry_in is not None:
            log.warning("handler failed", attempts=attempts, error=reason, retry_in=retry_in)
            return []
        self._metrics.dead.labels(self.name).inc()
        log.error("dead letter", attempts=attempts, exc_info=error)
        return [DeadLetter(message_id, self.name, self.topic, message.key, attempts, reason)]

    def _context_of(self, message_id: str, message: BrokerMessage) -> AbstractContextManager[None]:
        return carrying(
            {CORRELATION_ID: message_id, **message.headers, CAUSATION_ID: message_id},
            message_id=message_id,
            consumer=self.name,
        )


class _TransactionLostError(Exception):
    """The handler failed with `error`, and its transaction is past recording that."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
