"""Rows on their way to the broker, until it is written down what became of them."""

import asyncio
from collections.abc import Iterator, Sequence
from contextvars import Context
from functools import partial

import structlog

from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.lane import Lane, lanes_of, publish_lanes
from app.building_blocks.outbox.marks import Marks
from app.building_blocks.outbox.outage import Outage
from app.building_blocks.outbox.sender import Sender
from app.building_blocks.outbox.under_way import UnderWay
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)

_GATHERING = 0.02


class Deliveries:
    """Publishes lanes side by side, up to `at_once` in one call, and marks those that ended.

    `rows` of them are under way. None of its tasks carries the context of who handed rows over.
    """

    def __init__(
        self, sender: Sender, marks: Marks, outage: Outage, wake_up: WakeUp, *, at_once: int
    ) -> None:
        self.rows, self.under_way = 0, UnderWay()
        self._sender, self._marks, self._outage = sender, marks, outage
        self._wake_up = wake_up
        self._at_once = at_once
        self._sending: set[asyncio.Task[None]] = set()
        self._ended: list[Lane] = []
        self._marking: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._unmarked: set[str | None] = set()

    def start(self, rows: Sequence[ClaimedRow]) -> None:
        """Send them off."""
        self.rows += len(rows)
        for lanes in self._lanes(rows):
            task = asyncio.create_task(publish_lanes(lanes, self._sender), context=Context())
            self._sending.add(task)
            task.add_done_callback(partial(self._sent, lanes))

    def follow(self, rows: Sequence[ClaimedRow]) -> None:
        """Send them off behind those of their keys, or give them back if those did not go out."""
        if not self.under_way.may_follow(rows):
            self.give_back(rows)
            return
        others = []
        for row in rows:
            lane = self.under_way.last_of(row.key)
            if lane is None or lane.has_ended:
                others.append(row)
            else:
                lane.add(row)
                self.rows += 1
        if others:
            self.start(others)

    def give_back(self, rows: Sequence[ClaimedRow]) -> None:
        """Send none of them, and let others have them."""
        self.rows += len(rows)
        for lanes in self._lanes(rows):
            for lane in lanes:
                lane.end()

    def raise_failure(self) -> None:
        """Raise what the database said when something could not be written down."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def settled(self) -> None:
        """Return when nothing is under way."""
        while tasks := [*self._sending, *([self._marking] if self._marking else [])]:
            await asyncio.wait(tasks)

    async def drain(self, seconds: float) -> None:
        """Let what is under way finish, or give it back when that takes longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self.settled()
        except TimeoutError:
            for task in self._sending:
                task.cancel()
            await self.settled()
        if self._failure is not None:
            log.warning("what was sent could not be marked", error=repr(self._failure))
        # It is over all the same: the claims run out by themselves.
        self._ended.clear()
        self._unmarked.clear()
        self.under_way.clear()
        self.rows, self._failure = 0, None

    def _lanes(self, rows: Sequence[ClaimedRow]) -> Iterator[list[Lane]]:
        for lanes in lanes_of(rows, self._at_once, self._note_end):
            for lane in lanes:
                self.under_way.add(lane)
            yield lanes

    def _sent(self, lanes: Sequence[Lane], task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        # Also those that it was too late for, and when it was cancelled before it began.
        for lane in lanes:
            lane.end()

    def _note_end(self, lane: Lane) -> None:
        self._ended.append(lane)
        if self._marking is None:
            self._marking = asyncio.create_task(self._mark(), context=Context())

    async def _mark(self) -> None:
        try:
            while self._ended:
                if self._sending:
                    # Marking each row alone costs more than to send it, and nobody waits for the
                    # mark but the next rows of the same keys.
                    await asyncio.wait(self._sending, timeout=_GATHERING)
                lanes, self._ended = self._ended, []
                await self._record(lanes)
        except Exception as error:
            self._failure = error
            self._unmarked.update(lane.key for lane in lanes)
        finally:
            self._marking = None
            # Rows of the same keys may have waited for these; or `run` is to see the failure.
            self._wake_up.set()

    async def _record(self, lanes: Sequence[Lane]) -> None:
        # Of a key whose mark was lost, nothing later is marked: it all goes out again, in order.
        lanes = [lane for lane in lanes if lane.key is None or lane.key not in self._unmarked]
        # Before the rows are free again.
        self._outage.note_lanes(lanes)
        if await self._marks.write(lanes):
            # It answered, if only to say no.
            self._outage.over()
        self.under_way.remove(lanes)
        self.rows -= sum(len(lane) for lane in lanes)
        self._wake_up.set()
