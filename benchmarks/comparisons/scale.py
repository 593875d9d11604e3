"""Whether claims, drains and memory stay as they are while tables grow and processes are added."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.bench import Bench
from benchmarks.comparisons.drain import drained
from benchmarks.figures import Figure
from benchmarks.progress import say

THOUSAND, HUNDRED_THOUSAND, MILLION = "1k waiting", "100k waiting", "1M waiting"
OLD_SNAPSHOT = f"{MILLION}, an old snapshot"
CASES: dict[str, list[object]] = {
    THOUSAND: ["--waiting", 1_000, "--drain", 1_000],
    HUNDRED_THOUSAND: ["--waiting", 100_000, "--drain", 100_000],
    MILLION: ["--waiting", 1_000_000, "--drain", 200_000],
    "1M published": ["--published", 1_000_000, "--waiting", 100_000, "--drain", 100_000],
    OLD_SNAPSHOT: [
        *("--waiting", 1_000_000, "--drain", 200_000),
        "--old-snapshot",
    ],
}
PROCESSES = (1, 2, 4)


async def scale(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """All cases in turn, as often as there are runs."""
    where = f"{database} + {broker}"
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in range(bench.options.runs):
        for case, arguments in CASES.items():
            if (database, case) == ("sqlite", OLD_SNAPSHOT):
                continue
            say(f"scale, {where}, {case}: run {run + 1} of {bench.options.runs}")
            async with bench.place(database, broker) as place:
                found[case].append(await place.run("scale", *arguments))
    for figure in _figures(where, found):
        yield figure
    async for figure in _processes(bench, database, broker):
        yield figure


def _figures(where: str, found: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    def column(case: str, name: str) -> list[float]:
        return [run[name] for run in found[case]]

    few, some = column(THOUSAND, "claim_ms"), column(HUNDRED_THOUSAND, "rate")
    figures = [
        Figure("claim", f"{where}, {THOUSAND}", "ms", few),
        Figure("drain", f"{where}, {HUNDRED_THOUSAND}", "rows/s", some),
    ]
    for case in found:
        at = f"{where}, {case}"
        if case != THOUSAND:
            now = column(case, "claim_ms")
            figures.append(Figure("claim", at, "ms", now, THOUSAND, few, less=True))
        if case in (MILLION, OLD_SNAPSHOT):
            after = column(case, "claim_ms_after")
            at_end = f"{at}, 200k drained"
            figures.append(Figure("claim", at_end, "ms", after, THOUSAND, few, less=True))
        if case not in (THOUSAND, HUNDRED_THOUSAND):
            rate = column(case, "rate")
            figures.append(Figure("drain", at, "rows/s", rate, HUNDRED_THOUSAND, some))
    late, early = column(MILLION, "memory_late"), column(MILLION, "memory_early")
    at = f"{where}, after 200k messages"
    figures.append(Figure("memory", at, "MB", late, "after 20k", early, less=True))
    return figures


async def _processes(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure]:
    rates: dict[int, list[float]] = defaultdict(list)
    async with bench.place(database, broker) as place:
        for run in range(bench.options.runs):
            for count in PROCESSES:
                say(f"scale, {count} processes: run {run + 1} of {bench.options.runs}")
                rates[count].append(await drained(place, bench.options.rows, count))
    for count in PROCESSES[1:]:
        where = f"{database} + {broker}, {count} processes"
        yield Figure("drain", where, "rows/s", rates[count], "1 process", rates[1])
