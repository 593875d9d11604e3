"""Gathering: deliveries that wait at the same time are taken together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field

from app.building_blocks.inbox.run import Run

LARGEST_BATCH_BYTES = 1 << 20
"""Of bodies, because servers limit how long a statement may be; a larger one comes alone."""


def _future() -> asyncio.Future[bool]:
    return asyncio.get_running_loop().create_future()


@dataclass(eq=False, slots=True)
class _Waiting:
    run: Run
    likeness: Mapping[str, str]
    outcome: asyncio.Future[bool] = field(default_factory=_future)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, outcome: bool | BaseException) -> None:
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
        self, most: int, room: asyncio.Semaphore, handle: Callable[[Sequence[Run]], Awaitable[bool]]
    ) -> None:
        self._most, self._room, self._handle = most, room, handle
        self._waiting: list[_Waiting] = []
        self._taken: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, run: Run, likeness: Mapping[str, str]) -> AsyncIterator[bool]:
        """Wait until `run` was handled with others of its `likeness`: True.

        False when it is to be handled alone, within the block.
        """
        one = _Waiting(run, likeness)
        self._waiting.append(one)
        self._begin()
        try:
            yield await one.outcome
        except asyncio.CancelledError:
            await self._give_up_what_nobody_waits_for()
            raise
        finally:
            one.left.set()

    def _begin(self) -> None:
        if self._task is None:
            # A context of its own: the batch is none of the messages in it.
            self._task = asyncio.create_task(self._run(), context=Context())
            self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._task, self._taken = None, []
        if self._still_waiting():
            self._begin()

    async def _run(self) -> None:
        # What arrives in the same moment comes along.
        await asyncio.sleep(0)
        async with self._room:
            self._taken = taken = self._take()
            if len(taken) > 1:
                await self._run_together(taken)
                return
        for one in taken:
            one.settle(False)
            # Others gather meanwhile.
            await one.left.wait()

    async def _run_together(self, taken: list[_Waiting]) -> None:
        try:
            outcome: bool | BaseException = await self._handle([one.run for one in taken])
        except Exception as error:
            outcome = error
            # If it is the batch that drives the database away, this one gets ahead all the same.
            taken[0].settle(False)
        except BaseException as error:
            outcome = error
            raise
        finally:
            for one in taken:
                one.settle(outcome)

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        others: list[_Waiting] = []
        size = 0
        for one in self._still_waiting():
            size_with_it = size + len(one.run.message.body)
            is_like_the_first = not taken or (
                one.likeness == taken[0].likeness and size_with_it <= LARGEST_BATCH_BYTES
            )
            if is_like_the_first and len(taken) < self._most:
                taken.append(one)
                size = size_with_it
            else:
                others.append(one)
        self._waiting = others
        return taken

    def _still_waiting(self) -> list[_Waiting]:
        return [one for one in self._waiting if not one.outcome.done()]

    async def _give_up_what_nobody_waits_for(self) -> None:
        task = self._task
        if task and self._taken and all(one.outcome.cancelled() for one in self._taken):
            task.cancel()
            await asyncio.wait({task})
