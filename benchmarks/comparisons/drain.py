"""How fast the publisher empties the outbox, beside the broker's own client library."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Place
from benchmarks.faststream_outbox import python_with_it
from benchmarks.figures import Figure
from benchmarks.progress import say

LIBRARIES = {
    "rabbitmq": "aio-pika, 500 at a time",
    "kafka": "aiokafka, 500 at a time",
    "nats": "nats-py, 500 at a time",
    "redis": "redis-py, pipelines of 500",
    "memory": "the same broker, no outbox",
}
SHARED_KEYS = 1000


async def drain(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """Rows per second of one publisher, with --full also of two and with shared keys."""
    async with bench.place(database, broker) as place:
        async for figure in _beside_the_library(bench, place, database, broker):
            yield figure
        if broker == "rabbitmq":
            yield await _without_broker(bench, place, database)
        if (database, broker) == ("postgresql", "rabbitmq"):
            yield await _beside_faststream_outbox(bench, place)


async def _beside_the_library(
    bench: Bench, place: Place, database: str, broker: str
) -> AsyncIterator[Figure]:
    rows, where = bench.options.rows, f"{database} + {broker}"
    cases: list[tuple[str, int, list[object]]] = [("1 publisher", 1, [])]
    if bench.options.full:
        cases += [("2 publishers", 2, []), (f"{SHARED_KEYS} keys", 1, ["--keys", SHARED_KEYS])]
        # A queue that nobody empties: last, since it is there from then on.
        cases += [("a queue bound", 1, ["--subscribed"])] if broker == "rabbitmq" else []
    for name, publishers, how in cases:
        ours, theirs = [], []
        for run in range(bench.options.runs):
            say(f"drain, {where}, {name}: run {run + 1} of {bench.options.runs}")
            ours.append(await drained(place, rows, publishers, *how))
            theirs.append(_rate(await place.together(1, "library", "--rows", rows)))
        yield Figure("drain", f"{where}, {name}", "rows/s", ours, LIBRARIES[broker], theirs)


async def _without_broker(bench: Bench, place: Place, database: str) -> Figure:
    """What the outbox alone takes: no broker can make it quicker than that."""
    with_broker, without = [], []
    for run in range(bench.options.runs):
        say(f"drain, {database}, without a broker: run {run + 1} of {bench.options.runs}")
        with_broker.append(await drained(place, bench.options.rows, 1))
        await place.run("fill", "--rows", bench.options.rows)
        alone = await place.together(1, "drain", "--rows", bench.options.rows, "--confirm-at-once")
        without.append(_rate(alone))
    where = f"{database} + rabbitmq, 1 publisher"
    return Figure("drain", where, "rows/s", with_broker, "a broker that confirms at once", without)


async def _beside_faststream_outbox(bench: Bench, place: Place) -> Figure | str:
    python = python_with_it()
    if isinstance(python, str):
        return python
    rows, runs = bench.options.rows, bench.options.runs
    ours, theirs = [], []
    for run in range(runs):
        say(f"drain, beside faststream-outbox: run {run + 1} of {runs}")
        ours.append(await drained(place, rows, 1))
        theirs.append(await _other_package(place, rows, python))
    where = "postgresql + rabbitmq, 1 publisher"
    return Figure("drain", where, "rows/s", ours, "faststream-outbox, tuned", theirs)


async def drained(place: Place, rows: int, publishers: int, *how: object) -> float:
    """Fill the outbox; the rows per second of all publishers together."""
    await place.run("fill", "--rows", rows, *how)
    return _rate(await place.together(publishers, "drain", "--rows", rows))


async def _other_package(place: Place, rows: int, python: Path) -> float:
    async with place.start("drain_faststream_outbox", "--rows", rows, python=python) as child:
        await child.ready()
        await child.go()
        return _rate([await child.answer()])


def _rate(parts: list[dict[str, Any]]) -> float:
    """From the first that began to the last that ended; all clocks of a machine agree."""
    seconds = max(part["ended"] for part in parts) - min(part["begun"] for part in parts)
    return float(sum(part["rows"] for part in parts) / seconds)
