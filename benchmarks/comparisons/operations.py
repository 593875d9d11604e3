"""How long an operator waits with a million rows: for a person to read."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from service import environment

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.progress import say

PROGRAM = Path(__file__).parent.parent / "measures" / "operations.py"


async def operations(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """It writes a table of its own."""
    say(f"operations, {database}")
    async with bench.place(database, broker) as place:
        process = await _run(place.service, place.settings["DATABASE_URL"])
    if process:
        yield f"operations, {database}: some answers take longer than the goal, see above."


async def _run(folder: Path, url: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        PROGRAM,
        url,
        cwd=folder,
        env=environment(),
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # the service that it starts is to end with it
    )
    try:
        return await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
