"""How long it takes to bake, to import, to answer, and to run the service's own tests."""

import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bakery import bake_by_command
from programs import finish
from service import environment

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.progress import say

TESTS_DEADLINE = 1800.0


async def start(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """A bake, and the start beside the libraries without the service's code; in full, tests."""
    runs, where = bench.options.runs, f"{database} + {broker}"
    say(f"start, {where}")
    bakes = [_bake(bench.scratch / f"bake-{run}", database, broker) for run in range(runs)]
    yield Figure("bake", where, "s", bakes)
    async with (
        bench.place(database, broker) as place,
        place.start("start", "--runs", runs) as child,
    ):
        found = [await child.answer() for _ in range(runs)]
    service = [each["service"] for each in found]
    libraries = [each["libraries"] for each in found]
    yield Figure("first 200", where, "s", service, "the same libraries", libraries, less=True)
    yield Figure("import", where, "s", [each["imported"] for each in found])
    shares = [100 * each["share"] for each in found]
    yield Figure("own code in the import", where, "%", shares)
    if bench.options.full and database == "sqlite":
        yield _tests(bench.baked(database, broker), where)


def _bake(folder: Path, database: str, broker: str) -> float:
    begun = time.perf_counter()
    done = bake_by_command(folder, database=database, broker=broker)
    took = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(f"the service cannot be baked:\n{done.stdout}")
    shutil.rmtree(folder)
    return took


def _tests(service: Path, where: str) -> Figure | str:
    say(f"the service's own tests, {where}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    begun = time.perf_counter()
    done = finish(command, folder=service, env=environment(), deadline=TESTS_DEADLINE)
    took = time.perf_counter() - begun
    if done.returncode:
        return f"The service's own tests fail, {where}: {done.stdout.strip().splitlines()[-1]}"
    return Figure("the service's own tests", where, "s", [took])
