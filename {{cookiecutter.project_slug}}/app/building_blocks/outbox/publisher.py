"""The publisher: carries outbox rows to the broker, in order per key, at least once."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain

import structlog

from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claims import ClaimedRow, Claims
from app.building_blocks.outbox.lane import Lane, lanes_of, publish_lanes
from app.building_blocks.outbox.marks import Marks
from app.building_blocks.outbox.outage import Outage
from app.building_blocks.outbox.sender import Sender
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.tracing import OFF, Tracing
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)

# A lane starts no send in the last fifth of its lease, so that none outlives it.
_USE_OF_LEASE = 0.8
_GATHERING = 0.02


class Publisher:
    """Claims due rows, publishes their lanes side by side, marks what the broker confirmed.

    When the broker is away every row is given back untouched, and the publisher pauses, longer
    each time. A row that the broker refuses counts attempts by `refusals` and is set aside
    after the last. Times are in seconds.
    """

    def __init__(
        self,
        claims: Claims,
        broker: BrokerAdapter,
        wake_up: WakeUp,
        metrics: Metrics,
        *,
        refusals: RetryPolicy,
        batch_size: int = 100,
        poll_interval: float = 1.0,
        drain_timeout: float = 10.0,
        tracing: Tracing = OFF,
    ) -> None:
        self._claims = claims
        self._broker = broker
        self._sender = Sender(broker, metrics, tracing)
        self._wake_up = wake_up
        self._marks = Marks(claims, metrics, refusals)
        self._metrics = metrics
        self._batch_size = batch_size
        self._poll_interval = poll_interval
        self._drain_timeout = drain_timeout
        self._outage = Outage()
        self._rows_in_flight = 0
        self._deliveries: set[asyncio.Task[None]] = set()
        self._is_running = False
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
        try:
            while not self._wake_up.closed:
                if self._outage.failures:
                    await self._pause()
                elif not await self._start_delivery():
                    await self._wake_up.sleep(self._poll_interval)
                self._raise_failed_deliveries()
        finally:
            self._is_running = False
            await self._drain()

    async def _start_delivery(self) -> bool:
        """Claim a batch and send it off. True when more rows may be due right now."""
        room = 2 * self._batch_size - self._rows_in_flight
        if room < self._batch_size / 2:
            return False
        limit = min(room, self._batch_size)
        deadline = asyncio.get_running_loop().time() + self._claims.lease * _USE_OF_LEASE
        rows = await self._claims.claim(limit)
        if rows:
            self._rows_in_flight += len(rows)
            self._deliveries.add(asyncio.create_task(self._deliver(rows, deadline)))
        return len(rows) == limit

    async def _deliver(self, rows: Sequence[ClaimedRow], deadline: float) -> None:
        groups = list(lanes_of(rows, self._broker.publish_at_once))
        tasks = [
            asyncio.create_task(publish_lanes(lanes, self._sender, deadline)) for lanes in groups
        ]
        sending = {lane.ended: lane for lane in chain.from_iterable(groups)}
        noted = False
        try:
            while sending:
                done = await _some_done(sending)
                finished = [sending.pop(ended) for ended in done]
                # One outage fails many lanes; it counts once, and before the rows are free again.
                noted = noted or self._outage.note_lanes(finished)
                await self._record(finished)
            await asyncio.gather(*tasks)
        finally:
            if sending:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                await self._record(list(sending.values()))
            # Also when it has failed, for `run` to see that.
            self._wake_up.set()

    async def _record(self, lanes: Sequence[Lane]) -> None:
        if await self._marks.write(lanes):
            # It answered, if only to say no.
            self._outage.over()
        self._rows_in_flight -= sum(len(lane) for lane in lanes)
        # Rows of the same keys may have waited for these.
        self._wake_up.set()

    async def _pause(self) -> None:
        """Wait, longer each time, and then try again if the broker is there."""
        pause = self._outage.pause
        log.warning("publisher pauses", reason=self.problem, seconds=round(pause, 1))
        self._metrics.publish_pauses.inc()
        await self._outage.wait(pause, self._broker, self._wake_up)
        if not await self._broker.is_connected():
            self._outage.note("the broker is not connected")
            return
        await self._start_delivery()
        if self._deliveries:
            await asyncio.wait(self._deliveries)
        else:
            self._outage.over()

    def _raise_failed_deliveries(self) -> None:
        done = {task for task in self._deliveries if task.done()}
        self._deliveries -= done
        failures = [error for task in done if (error := task.exception())]
        if failures:
            raise failures[0]

    async def _drain(self) -> None:
        if self._deliveries:
            _, late = await asyncio.wait(self._deliveries, timeout=self._drain_timeout)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._deliveries, return_exceptions=True)
        self._deliveries.clear()
        # Also those of a delivery that failed half-way: their claims run out by themselves.
        self._rows_in_flight = 0


async def _some_done(ends: Iterable[asyncio.Future[None]]) -> set[asyncio.Future[None]]:
    """Wait for one of them, and a moment for more: marking each row alone costs more than to send.

    Nobody waits for the mark but the next rows of the same keys.
    """
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    done, _ = await asyncio.wait(ends, timeout=_GATHERING)
    return done
