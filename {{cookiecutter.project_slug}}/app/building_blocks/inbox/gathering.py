"""Gathering: deliveries that wait at the same time are taken together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context

from app.building_blocks.inbox.run import Run

LARGEST_BATCH_BYTES = 1 << 20
"""Of bodies, because servers limit how long a statement may be; a larger one comes alone."""


_TURNS = 10


class Arrival:
    """A message that waits, with what it has carried here; only what is `alike` goes together."""

    def __init__(self, run: Run, carried: Mapping[str, str], alike: Mapping[str, str]) -> None:
        self.run, self.carried, self.alike = run, carried, alike
        self.outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.has_left = asyncio.Event()

    def settle(self, outcome: bool | BaseException) -> None:
        """Let it go on; the first word counts."""
        if self.outcome.done():
            return
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        elif isinstance(outcome, BaseException):
            self.outcome.cancel()
        else:
            self.outcome.set_result(outcome)


class Gathering:
    """Hands on what has come while the batch before was handled: at most `most`, all alike.

    Nothing waits for a batch to fill. One batch runs at a time, within `room`. `handle` returns
    whether it has handled all; when it raises, the database cannot be used.
    """

    def __init__(
        self,
        most: int,
        room: asyncio.Semaphore,
        handle: Callable[[Sequence[Arrival]], Awaitable[bool]],
    ) -> None:
        self._most, self._room, self._handle = most, room, handle
        self._waiting: list[Arrival] = []
        self._taken: list[Arrival] = []
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, one: Arrival) -> AsyncIterator[bool]:
        """Wait until it was handled together with others: True.

        False when it is to be handled alone, within the block.
        """
        self._waiting.append(one)
        self._begin()
        try:
            yield await one.outcome
        except asyncio.CancelledError:
            await self._stop_what_nobody_waits_for()
            raise
        finally:
            one.has_left.set()

    def _begin(self) -> None:
        if self._task is None:
            # A context of its own: the batch is none of the messages in it.
            self._task = asyncio.create_task(self._run(), context=Context())
            self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._task, self._taken = None, []
        if any(not one.outcome.done() for one in self._waiting):
            self._begin()

    async def _run(self) -> None:
        await self._let_in()
        async with self._room:
            self._taken = taken = self._take()
            if len(taken) > 1:
                await self._run_together(taken)
                return
        for one in taken:
            one.settle(False)
            # Others gather meanwhile.
            await one.has_left.wait()

    async def _let_in(self) -> None:
        """What has arrived at this process already takes some turns of the loop to get here."""
        seen, turns = 0, 0
        while turns < _TURNS and len(self._waiting) < self._most:
            await asyncio.sleep(0)
            turns = turns + 1 if len(self._waiting) == seen else 0
            seen = len(self._waiting)

    async def _run_together(self, taken: list[Arrival]) -> None:
        outcome: bool | BaseException = False
        try:
            outcome = await self._handle(taken)
        except Exception as error:
            outcome = error
            # If it is the batch that drives the database away, this one gets ahead all the same.
            taken[0].settle(False)
        # Cancelled from within: whoever still waits is alive, and goes alone.
        finally:
            for one in taken:
                one.settle(outcome)

    def _take(self) -> list[Arrival]:
        taken: list[Arrival] = []
        others: list[Arrival] = []
        size = 0
        for one in self._waiting:
            if one.outcome.done():
                continue
            with_it = size + len(one.run.message.body)
            fits = not taken or (one.alike == taken[0].alike and with_it <= LARGEST_BATCH_BYTES)
            if fits and len(taken) < self._most:
                taken.append(one)
                size = with_it
            else:
                others.append(one)
        self._waiting = others
        return taken

    async def _stop_what_nobody_waits_for(self) -> None:
        task = self._task
        if task and self._taken and all(one.outcome.cancelled() for one in self._taken):
            task.cancel()
            await asyncio.wait({task})
