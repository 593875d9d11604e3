"""Messages handled in batches, beside the same ones handled one by one."""

from collections.abc import AsyncIterator

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.progress import say

SHARE = 2  # handling takes longer than publishing
BATCH = 100


async def batches(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """Messages per second, each an inbox row and an order."""
    runs, where = bench.options.runs, f"{database} + {broker}"
    rows = bench.options.rows // SHARE
    found = []
    async with bench.place(database, broker) as place:
        for run in range(runs):
            say(f"batches, {where}: run {run + 1} of {runs}")
            found.append(await place.run("batches", "--rows", rows, "--batch", BATCH))
    yield Figure(
        f"handled in batches of {BATCH}",
        where,
        "1/s",
        [each["batches"] for each in found],
        "handled one by one",
        [each["one_by_one"] for each in found],
    )
