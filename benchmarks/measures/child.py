"""How a program of this folder talks to the one that started it.

Each runs in the folder of a baked service, with that folder on PYTHONPATH, so that `app` is the
service under measurement. What it found goes out as one line, marked among whatever is logged.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from app.building_blocks.garbage import leave_out_what_is_loaded

MARK = "bench:"


def tell(**figures: Any) -> None:
    """Send one line of figures to the parent."""
    print(MARK + json.dumps(figures), flush=True)


async def ready() -> None:
    """Say that the work could begin now, and wait until the parent says so, too."""
    tell(ready=True)
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    if not line:
        sys.exit("the parent has gone")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on the loop that uvicorn would take, and with the collector as a service has it.

    So does what the service is compared with.
    """
    with leave_out_what_is_loaded():
        _runner()(main)


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


async def until(condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    """Return when `condition` holds. Raises TimeoutError after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise TimeoutError(f"not within {seconds:.0f} s: {what}") from None


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of all `values` are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
