"""One attempt at a message: run the handler in a part of the transaction, or record why not."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.building_blocks.errors import DomainError, NotFoundError
from app.building_blocks.feature import Subscription
from app.building_blocks.inbox.dead_letters import DeadLetter
from app.building_blocks.inbox.faults import TransactionLostError, failure_of_run
from app.building_blocks.inbox.inbox import Inbox, InboxRowLostError
from app.building_blocks.inbox.reading import UnreadableMessageError, read_event
from app.building_blocks.inbox.run import Run
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics, observe_lag
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.tracing import OFF, Tracing
from app.building_blocks.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

EXPECTED = (DomainError, NotFoundError, UnreadableMessageError)


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
        tracing: Tracing = OFF,
    ) -> None:
        self._consumer = consumer
        self._event = subscription.event
        self._handler = subscription.handler
        self._takes_list = subscription.batch is not None
        self._policy = policy
        self._inbox = inbox
        self._mediator, self._is_away = mediator, mediator.database.is_away
        self._metrics = metrics
        self._tracing = tracing
        self._labels = (subscription.event.topic, consumer)
        self._seconds = metrics.handling_seconds.labels(*self._labels)
        self._lag = metrics.handle_lag.labels(*self._labels)
        metrics.expect_consumer(*self._labels)

    async def make(self, uow: UnitOfWork, run: Run) -> list[DeadLetter]:
        """Handle the message within `uow`; the dead letter that came of it, if any.

        Raises TransactionLostError, and what the driver raises when the database is away.
        """
        try:
            await self._run(uow, run)
        except (Exception, asyncio.CancelledError) as error:
            return await self._failed(uow, run, failure_of_run(error, self._is_away))
        if run.is_retry:
            connection = await uow.connection()
            await self._inbox.mark_handled(connection, run.message_id, self._consumer, run.number)
        self.count_handled([run])
        return []

    async def make_together(self, uow: UnitOfWork, runs: Sequence[Run]) -> None:
        """Handle all messages within `uow` in one call, and write down nothing.

        Raises TransactionLostError, and what the driver raises when the database is away.
        """
        headers = {run.message_id: run.message.headers for run in runs}
        try:
            with self._tracing.process_together(self._event.topic, headers, self._consumer):
                events = [read_event(run.message, self._event) for run in runs]
                await self._handle(uow, events)
        except (Exception, asyncio.CancelledError) as error:
            raise TransactionLostError(failure_of_run(error, self._is_away)) from error

    def count_handled(self, runs: Sequence[Run]) -> None:
        """Tell the metrics of messages that were handled."""
        self._metrics.handled.labels(*self._labels).inc(len(runs))
        for run in runs:
            observe_lag(self._lag, run.message.headers)

    async def record(self, uow: UnitOfWork, run: Run, error: Exception) -> list[DeadLetter]:
        """Write down that the handler failed with `error`, and when it is tried again."""
        is_final = isinstance(error, UnreadableMessageError)
        retry_in = None if is_final else self._policy.delay_after(run.number, error)
        why = f"{type(error).__name__}: {error}"
        await self._inbox.mark_failed(
            await uow.connection(), run.message_id, self._consumer, run.number, why, retry_in
        )
        self._metrics.failed.labels(*self._labels).inc()
        if retry_in is not None:
            # Where it failed is told once; the rule that says no tells all in its sentence.
            where = error if run.number == 1 and not isinstance(error, EXPECTED) else None
            log.warning(
                "handler failed",
                attempts=run.number, error=why, retry_in=retry_in, exc_info=where,
            )  # fmt: skip
            return []
        self._metrics.dead.labels(*self._labels).inc()
        log.error("dead letter", attempts=run.number, exc_info=error)
        topic, key = run.message.topic, run.message.key
        return [DeadLetter(run.message_id, self._consumer, topic, key, run.number, why)]

    async def _run(self, uow: UnitOfWork, run: Run) -> None:
        if run.number > 1:
            self._metrics.retried.labels(*self._labels).inc()
        headers = run.message.headers
        with self._tracing.process(
            run.message.topic, run.message_id, headers, self._consumer, run.number
        ):
            event = read_event(run.message, self._event)
            given = [event] if self._takes_list else event
            if run.is_retry:
                # The row stays locked until the failure is in it: nobody else tries meanwhile.
                async with uow.savepoint():
                    await self._handle(uow, given)
            else:
                await self._handle(uow, given)

    async def _handle(self, uow: UnitOfWork, given: object) -> None:
        with self._seconds.time():
            async with asyncio.timeout(self._policy.timeout):
                await self._handler(given, self._mediator.within(uow))
            await uow.flush()

    async def _failed(self, uow: UnitOfWork, run: Run, error: Exception) -> list[DeadLetter]:
        if uow.is_lost or not run.is_retry:
            # Most messages are handled at once; for these a savepoint would only cost time.
            raise TransactionLostError(error)
        try:
            return await self.record(uow, run, error)
        except (SQLAlchemyError, InboxRowLostError) as lost:
            # A timeout in the middle of a statement ends the connection.
            raise TransactionLostError(error) from lost
