"""Background work that lives as long as the app, and is started again if it dies."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import structlog

from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)


class BackgroundTask:
    """Runs `work` until the app stops, and again after a pause whenever it ends or raises.

    Pauses double from `first_pause` to `longest_pause` seconds. For `healthy_after` seconds
    after a death `problem` still tells of it, so that a crash loop shows in readiness. At the
    end `wake_up` is closed, and `work` has `grace` seconds to return before it is cancelled.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        wake_up: WakeUp,
        *,
        grace: float = 15.0,
        first_pause: float = 0.2,
        longest_pause: float = 15.0,
        healthy_after: float = 5.0,
    ) -> None:
        self.name = name
        self._work = work
        self._wake_up = wake_up
        self._grace = grace
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._healthy_after = healthy_after
        self._task: asyncio.Task[None] | None = None
        self._death: str | None = None
        self._started_at = 0.0

    @property
    def problem(self) -> str | None:
        """Why it cannot be relied on now, as a sentence; None while it runs as it should."""
        if self._task is None or self._task.done():
            return f"{self.name} is not running"
        if self._death and time.monotonic() - self._started_at < self._healthy_after:
            return f"{self.name} died and was started again: {self._death}"
        return None

    async def check(self) -> str | None:
        """The problem, as readiness asks for it."""
        return self.problem

    def stop_soon(self) -> None:
        """Tell it that the service stops, so that several tasks can finish at the same time."""
        self._wake_up.close()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_running(), name=self.name)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is None:
            return
        self.stop_soon()
        _, late = await asyncio.wait({self._task}, timeout=self._grace)
        for task in late:
            log.warning("background task is cut off", task=self.name, grace=self._grace)
            task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_running(self) -> None:
        pause = self._first_pause
        while not self._wake_up.closed:
            self._started_at = time.monotonic()
            try:
                await self._work()
                self._death = "it ended by itself"
            except Exception as error:
                self._death = repr(error)
            if self._wake_up.closed:
                return
            if time.monotonic() - self._started_at > self._healthy_after:
                pause = self._first_pause
            log.error("background task died", task=self.name, error=self._death, pause=pause)
            self._started_at = time.monotonic() + pause
            await self._wake_up.rest(pause)
            pause = min(pause * 2, self._longest_pause)
