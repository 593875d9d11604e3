"""Programs of `measures/`, started in the folder of a baked service; they answer in JSON lines."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

MARK = b"bench:"
START_DEADLINE = 180.0
DEADLINE = 1800.0
LONGEST_LINE = 1 << 20
TOLD_OF_LOG = 2000


class ChildFailedError(Exception):
    """It ended, or was silent for too long; the text has the end of its log."""


class Child:
    """One that runs. `log` has what it wrote besides its answers."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self._name, self._process, self._log = name, process, log

    async def answer(self, deadline: float = DEADLINE) -> dict[str, Any]:
        """Its next answer. Raises ChildFailedError."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(deadline):
                while line := await self._process.stdout.readline():
                    if line.startswith(MARK):
                        figures: dict[str, Any] = json.loads(line.removeprefix(MARK))
                        return figures
        except TimeoutError:
            raise self._failed(f"{self._name} was silent for {deadline:.0f} s") from None
        raise self._failed(f"{self._name} ended with exit code {await self._process.wait()}")

    async def ready(self) -> None:
        """Return once it could begin."""
        await self.answer(START_DEADLINE)

    async def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        await self._process.stdin.drain()

    def _failed(self, what: str) -> ChildFailedError:
        end = self._log.read_text("utf-8", "replace")[-TOLD_OF_LOG:].strip()
        return ChildFailedError(f"{what}:\n{end}" if end else what)


@asynccontextmanager
async def started(
    command: Sequence[str | Path], folder: Path, env: Mapping[str, str], log: Path
) -> AsyncIterator[Child]:
    """A child for the length of a block; it is killed at the end, with all that it started."""
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=folder,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C is for the parent, which ends this one
        )
    try:
        yield Child(Path(command[1]).name, process, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def all_at_once(children: Sequence[Child]) -> list[dict[str, Any]]:
    """Let them begin together, once each is ready; what each found."""
    for child in children:
        await child.ready()
    for child in children:
        await child.go()
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(child.answer()) for child in children]
    return [answer.result() for answer in answers]
