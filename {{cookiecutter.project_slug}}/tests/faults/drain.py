"""Waiting until the service has done everything that it was asked to do."""

import asyncio
import time

from tests.faults.books import Books
from tests.faults.console import Console

_LOOK = 0.2  # seconds
_PROGRESS = 5.0
# Long enough for a second copy of a message, should one be on its way, to take effect.
_SETTLE = 3.0


async def wait_until_done(books: Books, console: Console, healed: float, deadline: float) -> float:
    """Return the seconds from `healed` until nothing was unfinished, at most `deadline`.

    `healed` is on the clock of `time.monotonic`.
    """
    told = time.monotonic()
    while unfinished := await books.unfinished():
        now = time.monotonic()
        if now - told > _PROGRESS:
            told = now
            console.tell("waiting: " + ", ".join(f"{n} {what}" for what, n in unfinished.items()))
        if now - healed > deadline:
            console.tell(f"not finished {deadline:.0f} s after everything was healed")
            return deadline
        await asyncio.sleep(_LOOK)
    took = time.monotonic() - healed
    console.tell(f"finished {took:.1f} s after everything was healed")
    await asyncio.sleep(_SETTLE)
    return took
