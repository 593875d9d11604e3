"""Messages handled, beside the same business transactions without broker and inbox."""

from collections.abc import AsyncIterator

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.progress import say

SHARE = 10  # handling takes longer than publishing


async def consuming(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """Messages per second, each an inbox row and an order in one transaction."""
    runs, where = bench.options.runs, f"{database} + {broker}"
    found = []
    async with bench.place(database, broker) as place:
        for run in range(runs):
            say(f"consuming, {where}: run {run + 1} of {runs}")
            found.append(await place.run("consuming", "--rows", bench.options.rows // SHARE))
    handled = [each["handled"] for each in found]
    alone = [each["alone"] for each in found]
    yield Figure("handled", where, "1/s", handled, "the business write alone", alone)
    # What is left to an inbox: receiving takes its time on the same core.
    both = [1 / (1 / each["alone"] + 1 / each["received"]) for each in found]
    yield Figure("handled", where, "1/s", handled, "receiving and the business write", both)
