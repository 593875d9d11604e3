"""The rest of a background task: it can be woken, and told that the service stops."""

import asyncio
from contextlib import suppress


class WakeUp:
    """A sleep that ends early when there is work, and for good when the service stops.

    Tasks look at `closed` between two pieces of work instead of being cancelled within one.
    """

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether the service stops."""
        return self._closed.is_set()

    def set(self) -> None:
        """There is work: end the sleep, or the next one if nobody sleeps now."""
        self._woken.set()

    def close(self) -> None:
        """The service stops: nobody sleeps any more."""
        self._closed.set()
        self._woken.set()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`, or when there is work, or when the service stops."""
        await _wait(self._woken, seconds)
        if not self.closed:
            self._woken.clear()

    async def rest(self, seconds: float) -> None:
        """Return after `seconds`, however much work there is, or when the service stops."""
        await _wait(self._closed, seconds)

    async def until_closed(self) -> None:
        """Return when the service stops."""
        await self._closed.wait()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
