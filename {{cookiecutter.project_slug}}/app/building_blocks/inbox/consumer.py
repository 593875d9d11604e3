"""A consumer: one integration event handler of one service, with its inbox."""

import stamina
from sqlalchemy.exc import DBAPIError

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.carriers import Carriers
from app.building_blocks.context import ENVIRONMENT, current
from app.building_blocks.errors import ConflictError
from app.building_blocks.feature import Subscription
from app.building_blocks.inbox.attempts import Attempts
from app.building_blocks.inbox.batches import Batches
from app.building_blocks.inbox.dead_letters import Announcer
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.inbox.faults import TransactionLostError, failure_of_transaction
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.inbox.reading import message_id_of
from app.building_blocks.inbox.run import Run
from app.building_blocks.inbox.turns import Turns
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.tracing import OFF, Tracing
from app.building_blocks.unit_of_work import UnitOfWork
from app.building_blocks.wake_up import WakeUp


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
        tracing: Tracing = OFF,
        carriers: Carriers | None = None,
        environments: Environments | None = None,
    ) -> None:
        self.name = f"{service}.{subscription.name}"
        self.topic = subscription.event.topic
        self.ordered = subscription.ordered
        self.retry_policy = subscription.policy(default_retry)
        self._attempts = Attempts(
            self.name, subscription, self.retry_policy, inbox, mediator, metrics, tracing
        )
        self._inbox, self._mediator = inbox, mediator
        self._metrics = metrics
        self._announcer, self._retrying = announcer, retrying
        self._is_away = mediator.database.is_away
        self._turns = Turns()
        self._carriers = carriers
        self._environments = environments or Environments()
        self._take, self.at_once = self._handle, None
        if most := subscription.batch:
            # A batch gathers while another runs.
            self.at_once = 2 * most
            self._take = Batches(
                self.name, most, inbox, mediator, self._attempts, carriers, self._handle
            ).receive

    async def receive(self, message: BrokerMessage) -> None:
        """Handle one delivery. Raises only when the database cannot be used right now."""
        run = Run(message_id_of(message), message)
        with run.context(self.name, self._carriers):
            if self.ordered:
                await self._line_up(run)
            elif self._environments.is_mine(current(ENVIRONMENT), self.name):
                await self._take(run)
            else:
                await self._leave(run)

    async def retry(self, message_id: str) -> bool:
        """Handle a message again whose time has come. False when somebody else is at it."""
        run: Run | None = None
        async with self._inbox.room, self._announcer.after_commit() as letters:
            try:
                async with self._mediator.unit_of_work() as uow:
                    run = await self._take_due(uow, message_id)
                    if run is None:
                        return False
                    with run.context(self.name, self._carriers):
                        letters.extend(await self._attempts.make(uow, run))
            except (TransactionLostError, DBAPIError) as error:
                reason = failure_of_transaction(error, self._is_away)
                async with self._mediator.unit_of_work() as uow:
                    again = await self._take_due(uow, message_id)
                    if again is not None and run is not None and again.number == run.number:
                        with again.context(self.name, self._carriers):
                            letters.extend(await self._attempts.record(uow, again, reason))
        return True

    async def _handle(self, run: Run) -> None:
        try:
            await self._handle_once(run)
        except ConflictError:
            # Of deliveries of one message at the same time some databases end all but one.
            async for attempt in stamina.retry_context(
                on=ConflictError, attempts=10, timeout=None, wait_initial=0.01, wait_max=0.5
            ):
                with attempt:
                    await self._handle_once(run)

    async def _handle_once(self, run: Run) -> None:
        async with self._inbox.room, self._announcer.after_commit() as letters:
            try:
                async with self._mediator.unit_of_work() as uow:
                    if await self._admit(uow, run):
                        letters.extend(await self._attempts.make(uow, run))
            except (TransactionLostError, DBAPIError) as error:
                reason = failure_of_transaction(error, self._is_away)
                async with self._mediator.unit_of_work() as uow:
                    if await self._admit(uow, run):
                        letters.extend(await self._attempts.record(uow, run, reason))

    async def _line_up(self, run: Run) -> None:
        """Leave it to the retrier, which sees the whole line of its key, on every replica.

        Given back to the broker it could come behind the next message of its key, so it keeps
        its turn while the database is away.
        """
        async with self._turns.of(run.message.key):
            async for attempt in stamina.retry_context(
                on=self._is_away, attempts=None, timeout=None, wait_initial=0.5, wait_max=10.0
            ):
                with attempt:
                    await self._leave(run)
        self._retrying.set()

    async def _leave(self, run: Run) -> None:
        """Write it down as due, for the retrier of whoever it is for."""
        async with self._inbox.room, self._mediator.unit_of_work() as uow:
            await self._admit(uow, run, to_run_later=True)

    async def _admit(self, uow: UnitOfWork, run: Run, *, to_run_later: bool = False) -> bool:
        is_new = await self._inbox.admit(
            await uow.connection(),
            run.message_id,
            self.name,
            run.message,
            to_run_later=to_run_later,
        )
        if not is_new:
            self._metrics.duplicates.labels(self.topic, self.name).inc()
        return is_new

    async def _take_due(self, uow: UnitOfWork, message_id: str) -> Run | None:
        row = await self._inbox.take_due(await uow.connection(), message_id, self.name)
        if row is None:
            return None
        message = BrokerMessage(row.topic, row.payload, row.headers, row.key)
        return Run(message_id, message, row.attempts + 1, is_retry=True)
