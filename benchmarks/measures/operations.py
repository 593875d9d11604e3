"""How long an operator waits with a million rows in the outbox and a million in the inbox.

Run it in the folder of a generated service, with the URL of an empty database that may be filled:

    python path/to/benchmarks/measures/operations.py sqlite:///million.db
    python path/to/benchmarks/measures/operations.py postgresql://localhost/million --case waiting

It migrates the database, fills it, and times every question that the pages and the command line
ask. The goal is 300 ms for each.
"""

import argparse
import asyncio
import io
import os
import statistics
import subprocess
import sys
import time
from contextlib import redirect_stdout, suppress
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from app.database import open_database
from million import CASES, fill
from questions import commands, questions

GOAL_MS = 300.0
RUNS = 7


def run_command(arguments: list[str]) -> None:
    from app.__main__ import cli

    with redirect_stdout(io.StringIO()), suppress(SystemExit):
        cli(arguments)


def told(name: str, times: list[float]) -> bool:
    best, middle, worst = min(times), statistics.median(times), max(times)
    mark = "" if middle <= GOAL_MS else "  <-- above the goal"
    print(f"{name:<72}{best:>8.1f}{middle:>8.1f}{worst:>8.1f}{mark}", flush=True)
    return middle <= GOAL_MS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--case", choices=CASES, default="mixed")
    parser.add_argument("--keep", action="store_true", help="the database is filled already")
    parser.add_argument("--only", default="", help="questions with this text in their name")
    chosen = parser.parse_args()
    os.environ |= {"DATABASE_URL": chosen.url, "LOG_LEVEL": "ERROR", "NO_COLOR": "1"}
    print(f"{chosen.case}: {chosen.rows:,} rows in each box; ms: least, p50 and max of {RUNS}")
    good = asyncio.run(_ask(chosen))
    for arguments in commands():
        name = f"python -m app {' '.join(arguments)}"
        if chosen.only in name:
            good &= told(name, [_timed(arguments) for _ in range(RUNS)])
    sys.exit(0 if good else 1)


async def _ask(chosen: argparse.Namespace) -> bool:
    database = open_database(chosen.url)
    if not chosen.keep:
        subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], check=True)  # noqa: ASYNC221
        begun = time.perf_counter()
        await fill(database, chosen.case, chosen.rows)
        print(f"filled in {time.perf_counter() - begun:.0f} s")
    good = True
    for name, question in questions(database, chosen.rows):
        if chosen.only not in name:
            continue
        times = []
        for run in range(RUNS + 1):
            begun = time.perf_counter()
            await question()
            if run:
                times.append((time.perf_counter() - begun) * 1000)
        good &= told(name, times)
    await database.dispose()
    return good


def _timed(arguments: list[str]) -> float:
    begun = time.perf_counter()
    run_command(arguments)
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
