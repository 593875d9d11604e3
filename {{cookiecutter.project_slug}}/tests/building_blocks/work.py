"""Work for a background task, which notes when it is started."""

import time
from collections.abc import Awaitable, Callable

from tests.waiting import eventually


class Work:
    """Notes when it is started; `then` says how each run goes on."""

    def __init__(self, then: Callable[[], Awaitable[None]]) -> None:
        self.starts: list[float] = []
        self._then = then

    async def __call__(self) -> None:
        self.starts.append(time.monotonic())
        await self._then()

    async def was_started(self, times: int) -> None:
        async def enough() -> bool:
            return len(self.starts) >= times

        await eventually(enough, what=f"{times} starts")


async def die() -> None:
    raise LookupError("the map is gone")
