"""Where the measurements take place: baked services, each with a database and a broker of its own.

Everything that is made here is gone at the end, also after Ctrl-C.
"""

import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakery import BROKERS, DATABASES, bake_by_command
from brokers import scratch_broker
from servers import scratch_database
from service import check, environment

from benchmarks.children import Child, all_at_once, started

MEASURES = Path(__file__).parent / "measures"
Pair = tuple[str, str]


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    full: bool
    runs: int
    rows: int
    databases: tuple[str, ...] = ()
    brokers: tuple[str, ...] = ()

    def pairs(self, short: Sequence[Pair], full: Sequence[Pair] | None) -> list[Pair]:
        """Database and broker: those that were named, else `short` or, with --full, `full`."""
        everything = [(database, broker) for database in DATABASES for broker in BROKERS]
        if not self.databases and not self.brokers:
            return [*(full or everything)] if self.full else [*short]
        return [
            (database, broker)
            for database, broker in everything
            if database in (self.databases or DATABASES) and broker in (self.brokers or BROKERS)
        ]


class Place:
    """A service on a database and a broker of its own, and what can run there."""

    def __init__(self, scratch: Path, service: Path, database_url: str, broker_url: str) -> None:
        self.service, self._scratch, self._started = service, scratch, 0
        self.settings = {"DATABASE_URL": database_url, "BROKER_URL": broker_url}
        self.settings["LOG_LEVEL"] = "ERROR"

    def start(
        self, measure: str, *arguments: object, publishes: bool = True, python: Path | None = None
    ) -> AbstractAsyncContextManager[Child]:
        """A child for the length of a block; another `python` has packages of its own only."""
        self._started += 1
        publisher = {} if publishes else {"OUTBOX_PUBLISHER_ENABLED": "false"}
        env = environment(**self.settings, **publisher)
        env["PYTHONPATH"] = str(self.service)
        del env["PYTHONDONTWRITEBYTECODE"]  # a service at work has its bytecode
        command = [python or sys.executable, self._scratch / "measures" / f"{measure}.py"]
        log = self._scratch / f"{measure}-{self._started}.log"
        return started([*command, *map(str, arguments)], self.service, env, log)

    async def run(self, measure: str, *arguments: object) -> dict[str, Any]:
        """The one answer of a child. Raises ChildFailedError."""
        async with self.start(measure, *arguments) as child:
            return await child.answer()

    async def together(self, count: int, measure: str, *arguments: object) -> list[dict[str, Any]]:
        """What `count` children found that began at the same moment."""
        async with AsyncExitStack() as stack:
            children: list[Child] = [
                await stack.enter_async_context(self.start(measure, *arguments))
                for _ in range(count)
            ]
            return await all_at_once(children)


class Bench:
    """Bakes each combination once, into a scratch folder."""

    def __init__(self, scratch: Path, options: Options) -> None:
        self.scratch, self.options = scratch, options
        self._baked: dict[Pair, Path] = {}
        # Bytecode of the children is written beside them, which is not to be in the repository.
        shutil.copytree(MEASURES, scratch / "measures", ignore=shutil.ignore_patterns("__*"))

    def baked(self, database: str, broker: str) -> Path:
        """The folder of the service. Raises RuntimeError with what the command wrote."""
        if (database, broker) not in self._baked:
            into = self.scratch / f"{database}-{broker}"
            done = bake_by_command(into, database=database, broker=broker)
            if done.returncode:
                raise RuntimeError(f"the service cannot be baked:\n{done.stdout}")
            self._baked[database, broker] = into / "my-service"
        return self._baked[database, broker]

    @asynccontextmanager
    async def place(self, database: str, broker: str) -> AsyncIterator[Place]:
        """A migrated service on servers of its own. Skips, as tests do, where there are none."""
        service = self.baked(database, broker)
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(scratch_database(database, self.scratch))
            place = Place(self.scratch, service, url, stack.enter_context(scratch_broker(broker)))
            check(service, "alembic", "upgrade", "head", **place.settings)
            yield place
