"""Measures what the template generates: a baked service on real servers, never a model of it.

Every figure stands beside what it is compared with, both from this run. The table goes to the
screen; build/benchmarks/ has it as results.md, results.json and results.png.

  make bench                                   the short form, some minutes
  make bench ARGS="--full"                     everything, some hours
  make bench ARGS="drain latency"              only these
  make bench ARGS="drain --database postgresql --broker rabbitmq --rows 50000"

The servers are those of the tests: PostgreSQL, MariaDB and RabbitMQ as they run here, Redis, NATS
and Kafka's mock cluster are started. Close what else uses the machine: on 2 cores it shows.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from bakery import BROKERS, DATABASES

from benchmarks import machine, plot, report
from benchmarks.bench import Bench, Options
from benchmarks.catalogue import FULL, MEASURES, SHORT
from benchmarks.figures import Figure
from benchmarks.progress import say

RESULTS = Path("build/benchmarks")
NOT_HERE = (pytest.skip.Exception, pytest.fail.Exception)  # what `tests/` says of a missing server


def read(arguments: list[str]) -> argparse.Namespace:
    """What was asked for. Exits with a sentence when it cannot be done."""
    told = "\n".join(f"  {name:<12}{measure.what}" for name, measure in MEASURES.items())
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=f"{__doc__}\nMeasures:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help="one or more; see above")
    parser.add_argument("--full", action="store_true", help="all pairs, more and longer runs")
    parser.add_argument("--database", action="append", choices=DATABASES, default=[])
    parser.add_argument("--broker", action="append", choices=BROKERS, default=[])
    parser.add_argument("--rows", type=int, help="rows of a drain: 20000, with --full 50000")
    parser.add_argument("--runs", type=int, help="pairs of runs: 3, with --full 5")
    chosen = parser.parse_args(arguments)
    for name in chosen.measures:
        if name not in MEASURES:
            parser.error(f"{name} is no measure: take of {', '.join(MEASURES)}")
    for name, least in (("rows", 100), ("runs", 1)):
        if (getattr(chosen, name) or least) < least:
            parser.error(f"--{name} is {least} or more")
    return chosen


def options_of(chosen: argparse.Namespace) -> Options:
    """With what was left open."""
    runs, rows = (5, 50_000) if chosen.full else (3, 20_000)
    return Options(
        chosen.full,
        chosen.runs or runs,
        chosen.rows or rows,
        tuple(chosen.database),
        tuple(chosen.broker),
    )


async def measure(names: list[str], options: Options) -> tuple[list[Figure], list[str]]:
    """All figures, and a sentence for each thing that was not measured."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    figures: list[Figure] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch:
        bench = Bench(Path(scratch), options)
        for name in names:
            for database, broker in MEASURES[name].pairs(options):
                try:
                    async for found in MEASURES[name].run(bench, database, broker):
                        if isinstance(found, Figure):
                            figures.append(found)
                        else:
                            notes.append(found)
                except (Exception, *NOT_HERE) as error:
                    notes.append(f"{name}, {database} + {broker}, is left out. {error}")
                    say(notes[-1])
    return figures, notes


def main(arguments: list[str]) -> int:
    """Measure, tell and write; gives the exit code."""
    chosen, told = read(arguments), machine.described(arguments)
    names = chosen.measures or list(FULL if chosen.full else SHORT)
    try:
        figures, notes = asyncio.run(measure(names, options_of(chosen)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("stopped: nothing is written, and nothing is left behind")
        return 130
    print(*(f"{name}: {text}" for name, text in told.items()), *notes, sep="\n")
    if figures:
        print(f"\n{report.on_screen(figures)}\n\n{report.READ}")
        report.write(RESULTS, figures, notes, told)
        drawn = plot.draw(RESULTS / "results.png", figures, told)
        say(f"written: {RESULTS}/results.md, results.json{' and results.png' if drawn else ''}")
    return 1 if notes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
