"""From the commit to whoever receives the event, beside a direct publish on the same broker."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.progress import say

DIRECT = "direct publish"


async def latency(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """p50 and p99 at low load and at half of the maximum, all in one process."""
    runs = bench.options.runs
    events = min(1000 if bench.options.full else 200, bench.options.rows)
    where = f"{database} + {broker}"
    say(f"latency, {where}")
    async with (
        bench.place(database, broker) as place,
        place.start("latency", "--events", events, "--runs", runs) as child,
    ):
        low = [await child.answer() for _ in range(runs)]
        half = [await child.answer() for _ in range(runs)]
    load = f"half load, {half[0]['rate']:.0f}/s"
    for figure in (
        *_figures("commit to receipt", f"{where}, low load", low, "outbox"),
        *_figures("commit to handler", f"{where}, low load, with inbox", low, "inbox"),
        *_figures("commit to receipt", f"{where}, {load}", half, "outbox"),
    ):
        yield figure


def _figures(
    measure: str, where: str, answers: Sequence[dict[str, Any]], path: str
) -> list[Figure]:
    return [
        Figure(
            f"{measure} {share}",
            where,
            "ms",
            [answer[path][share] for answer in answers],
            DIRECT,
            [answer["direct"][share] for answer in answers],
            less=True,
        )
        for share in ("p50", "p99")
    ]
