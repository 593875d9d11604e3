"""Dead letters: messages that were given up, kept until somebody acts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

_LONGEST_CALLBACK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that one consumer gave up, and why."""

    message_id: str
    consumer: str
    topic: str
    key: str | None
    attempts: int
    error: str


OnDeadLetter = Callable[[DeadLetter], Awaitable[None]]
"""Called once for each dead letter, after it is committed; to tell somebody about it."""


class Announcer:
    """Calls `callback` beside the work: it may fail or hang, and nothing waits for it."""

    def __init__(self, callback: OnDeadLetter | None = None) -> None:
        self._callback = callback
        self._running: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def after_commit(self) -> AsyncIterator[list[DeadLetter]]:
        """Announce what is in the list when the block ends without an error."""
        letters: list[DeadLetter] = []
        yield letters
        for letter in letters if self._callback else ():
            task = asyncio.create_task(self._call(letter))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _call(self, letter: DeadLetter) -> None:
        try:
            async with asyncio.timeout(_LONGEST_CALLBACK_SECONDS):
                if self._callback is not None:
                    await self._callback(letter)
        except Exception:
            log.exception(
                "on_dead_letter failed", message_id=letter.message_id, consumer=letter.consumer
            )
