"""What an event costs whoever writes: POST /orders and the bare command, with it and without."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from server_process import free_port

from benchmarks.bench import Bench, Pair, Place
from benchmarks.figures import Figure
from benchmarks.progress import say

WITHOUT = "without its event"


async def write_side(bench: Bench, database: str, broker: str) -> AsyncIterator[Figure | str]:
    """Rates and times at several concurrencies.

    The publisher runs elsewhere; with --full also in the process that answers, where it and the
    handlers of what it publishes take their part of the time.
    """
    pair = (database, broker)
    for concurrency in (1, 8, 32) if bench.options.full else (1, 16):
        where = f"{database}, {concurrency} at once"
        say(f"write side, {where}")
        async with bench.place(*pair) as place:
            for figure in await _commands(bench, place, concurrency, where):
                yield figure
        for publishes in (False, True) if bench.options.full else (False,):
            for figure in await _requests(bench, pair, concurrency, where, publishes):
                yield figure


async def _commands(bench: Bench, place: Place, concurrency: int, where: str) -> list[Figure]:
    runs = bench.options.runs
    arguments = ("--concurrency", concurrency, "--seconds", _seconds(bench), "--runs", runs)
    async with place.start("commands", *arguments) as child:
        pairs = [await child.answer() for _ in range(runs)]
    with_event = [pair["with_event"] for pair in pairs]
    return _figures(f"CreateOrder, {where}", with_event, [pair["without"] for pair in pairs])


async def _requests(
    bench: Bench, pair: Pair, concurrency: int, where: str, publishes: bool
) -> list[Figure]:
    theirs, ours = [], []
    for _ in range(bench.options.runs):
        theirs.append(await _loaded(bench, pair, concurrency, publishes, "--without-event"))
        ours.append(await _loaded(bench, pair, concurrency, publishes))
    published = "here" if publishes else "elsewhere"
    return _figures(f"POST /orders, {where}, published {published}", ours, theirs)


async def _loaded(
    bench: Bench, pair: Pair, concurrency: int, publishes: bool, *how: object
) -> dict[str, Any]:
    """On an empty database: nobody is busy with what was left over."""
    port = free_port()
    async with (
        bench.place(*pair) as place,
        place.start("serve", "--port", port, *how, publishes=publishes) as server,
    ):
        await server.ready()
        load = ("--port", port, "--concurrency", concurrency, "--seconds", _seconds(bench))
        return await place.run("load", *load)


def _seconds(bench: Bench) -> float:
    return 10.0 if bench.options.full else 2.0


def _figures(
    where: str, ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]
) -> list[Figure]:
    def figure(name: str, unit: str, *, less: bool) -> Figure:
        return Figure(
            f"write {name}",
            where,
            unit,
            [run[name] for run in ours],
            WITHOUT,
            [run[name] for run in theirs],
            less,
        )

    return [
        figure("rate", "1/s", less=False),
        figure("p50", "ms", less=True),
        figure("p99", "ms", less=True),
    ]
