"""The publisher: carries outbox rows to the broker, in order per key, at least once."""

from collections.abc import Sequence

import structlog

from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.deliveries import Deliveries
from app.building_blocks.outbox.handover import Handover, Receiver
from app.building_blocks.outbox.marks import Marks
from app.building_blocks.outbox.outage import Outage
from app.building_blocks.outbox.sender import Sender
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.tracing import OFF, Tracing
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)


class Publisher:
    """Claims due rows, publishes their lanes side by side, marks what the broker confirmed.

    Rows that commands of this process have just written come by the `handover`. When the broker
    is away every row is given back untouched, and the publisher pauses, longer each time. A row
    that the broker refuses counts attempts by `refusals` and is set aside after the last. Times
    are in seconds.
    """

    def __init__(
        self,
        claims: Claims,
        broker: BrokerAdapter,
        wake_up: WakeUp,
        metrics: Metrics,
        *,
        refusals: RetryPolicy,
        handover: Handover | None = None,
        batch_size: int = 100,
        poll_interval: float = 1.0,
        drain_timeout: float = 10.0,
        tracing: Tracing = OFF,
    ) -> None:
        self._claims = claims
        self._broker = broker
        self._wake_up = wake_up
        self._handover = handover
        self._metrics = metrics
        self._batch_size = batch_size
        self._poll_interval = poll_interval
        self._drain_timeout = drain_timeout
        self._outage = Outage()
        self._deliveries = Deliveries(
            Sender(broker, metrics, tracing),
            Marks(claims, metrics, refusals),
            self._outage,
            wake_up,
            at_once=broker.publish_at_once,
        )
        self._is_running = self._is_trying = False
        metrics.publisher_state.set_function(lambda: self._is_running and not self.problem)

    @property
    def problem(self) -> str | None:
        """Why nothing goes out at the moment, as a sentence, or None."""
        return self._outage.reason

    async def check(self) -> str | None:
        """The problem, as readiness asks for it."""
        return self.problem

    async def run(self) -> None:
        """Publish until told to stop; then let what is in flight finish, or give it back."""
        self._is_running = True
        if self._handover is not None:
            known = self._deliveries.under_way.known
            self._handover.open(Receiver(self._take, self._room_for_more, known))
        try:
            while not self._wake_up.closed:
                if self._outage.failures:
                    await self._pause()
                elif not await self._claim():
                    await self._wake_up.sleep(self._poll_interval)
                self._deliveries.raise_failure()
        finally:
            self._is_running = False
            # What was claimed before and is committed meanwhile still comes, and goes out.
            await self._deliveries.drain(self._drain_timeout)
            if self._handover is not None:
                self._handover.close()

    @property
    def _room(self) -> int:
        return 2 * self._batch_size - self._deliveries.rows

    def _room_for_more(self) -> int:
        """For rows that are handed over: half of it all, so that older ones are looked for, too."""
        is_ending = self._wake_up.closed or not self._is_running
        if is_ending or self._is_trying or self._outage.failures:
            return 0
        return self._batch_size - self._deliveries.rows

    async def _claim(self) -> bool:
        """Claim a batch and send it off. True when more rows may be due right now."""
        if self._room < self._batch_size / 2:
            return False
        limit = min(self._room, self._batch_size)
        rows = await self._claims.claim(limit)
        if rows:
            self._deliveries.start(rows)
        return len(rows) == limit

    def _take(self, rows: Sequence[ClaimedRow]) -> None:
        if self._outage.failures:
            self._deliveries.give_back(rows)
        else:
            self._deliveries.follow(rows)

    async def _pause(self) -> None:
        """Wait, longer each time, and then try again if the broker is there."""
        pause = self._outage.pause
        log.warning("publisher pauses", reason=self.problem, seconds=round(pause, 1))
        self._metrics.publish_pauses.inc()
        await self._outage.wait(pause, self._broker, self._wake_up)
        if not await self._broker.is_connected():
            self._outage.note("the broker is not connected")
            return
        # Nothing is handed over meanwhile: this ends when nothing is under way.
        self._is_trying = True
        try:
            await self._claim()
            if self._deliveries.rows:
                await self._deliveries.settled()
            else:
                self._outage.over()
        finally:
            self._is_trying = False
