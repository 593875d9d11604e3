"""One attempt at a message: run the handler in a part of the transaction, or record why not."""

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.feature import Subscription
from app.building_blocks.inbox.dead_letters import DeadLetter
from app.building_blocks.inbox.inbox import Inbox, InboxRowLostError
from app.building_blocks.inbox.reading import UnreadableMessageError, read_event
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a handler: which message, and for the how many-th time."""

    message_id: str
    message: BrokerMessage
    number: int = 1
    is_retry: bool = False


class TransactionLostError(Exception):
    """The handler failed with `error`, and its transaction is past recording that."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Attempts:
    """Runs the handler of one subscription and writes down how that ended."""

    def __init__(
        self,
        consumer: str,
        subscription: Subscription,
        policy: RetryPolicy,
        inbox: Inbox,
        mediator: Mediator,
        metrics: Metrics,
    ) -> None:
        self._consumer = consumer
        self._event = subscription.event
        self._handler = subscription.handler
        self._policy = policy
        self._inbox = inbox
        self._mediator = mediator
        self._metrics = metrics

    async def make(self, uow: UnitOfWork, run: Run) -> list[DeadLetter]:
        """Handle the message within `uow`; the dead letter that came of it, if any.

        Raises TransactionLostError, and what the driver raises when the database is away.
        """
        try:
            event = read_event(run.message, self._event)
            with self._metrics.handling_seconds.labels(self._consumer).time():
                async with uow.savepoint(), asyncio.timeout(self._policy.timeout):
                    await self._handler(event, self._mediator.within(uow))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody stops this run: the handler waited for something that was cancelled.
            return await self._failed(uow, run, RuntimeError(repr(error)))
        except Exception as error:
            if isinstance(error, DBAPIError) and self._mediator.database.is_away(error):
                # Not the handler's failure: the broker brings the message back.
                raise
            return await self._failed(uow, run, error)
        if run.is_retry:
            connection = await uow.connection()
            await self._inbox.mark_handled(connection, run.message_id, self._consumer, run.number)
        self._metrics.handled.labels(self._consumer).inc()
        return []

    async def record(self, uow: UnitOfWork, run: Run, error: Exception) -> list[DeadLetter]:
        """Write down that the handler failed with `error`, and when it is tried again."""
        is_final = isinstance(error, UnreadableMessageError)
        retry_in = None if is_final else self._policy.delay_after(run.number, error)
        why = f"{type(error).__name__}: {error}"
        await self._inbox.mark_failed(
            await uow.connection(), run.message_id, self._consumer, run.number, why, retry_in
        )
        self._metrics.failed.labels(self._consumer).inc()
        if retry_in is not None:
            log.warning("handler failed", attempts=run.number, error=why, retry_in=retry_in)
            return []
        self._metrics.dead.labels(self._consumer).inc()
        log.error("dead letter", attempts=run.number, exc_info=error)
        topic, key = run.message.topic, run.message.key
        return [DeadLetter(run.message_id, self._consumer, topic, key, run.number, why)]

    async def _failed(self, uow: UnitOfWork, run: Run, error: Exception) -> list[DeadLetter]:
        if uow.is_lost:
            raise TransactionLostError(error)
        try:
            return await self.record(uow, run, error)
        except (SQLAlchemyError, InboxRowLostError) as lost:
            # A timeout in the middle of a statement ends the connection.
            raise TransactionLostError(error) from lost
