"""How long an operator waits with a million rows in the outbox and a million in the inbox.

Run it in the folder of a generated service, with the URL of an empty database that may be filled:

    python path/to/benchmarks/measures/operations.py sqlite:///million.db
    python path/to/benchmarks/measures/operations.py postgresql://localhost/million --case waiting

It migrates the database, fills it, and times every question that the pages and the command line
ask, and then what the service answers over HTTP: its pages, /metrics and /health/ready. The goal
is 300 ms for each. The processes of commands are apart from it.
"""

import argparse
import asyncio
import io
import os
import subprocess
import sys
import time
from contextlib import redirect_stdout, suppress
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

import httpx
from app.database import open_database
from million import fill
from pages import Filled, pages
from processes import tell_processes
from questions import commands, questions
from served import served
from shares import CASES
from table import RUNS, timed, told


def run_command(arguments: list[str]) -> None:
    from app.__main__ import cli

    with redirect_stdout(io.StringIO()), suppress(SystemExit):
        cli(arguments)


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
            good &= told(name, timed(lambda arguments=arguments: run_command(arguments)))
    good &= _browse(chosen)
    tell_processes(chosen.url, chosen.only)
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


def _browse(chosen: argparse.Namespace) -> bool:
    good = True
    with served(chosen.url) as browser:
        filled = Filled(chosen.case, chosen.rows, browser)
        others = [(path, path) for path in ("/metrics", "/health/ready")]
        for name, path in (*pages(chosen.url, filled), *others):
            if chosen.only in f"GET {name}":
                good &= told(f"GET {name}", timed(lambda path=path: _get(browser, path)))
    return good


def _get(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{path} answers {answer.status_code}:\n{answer.text[:2000]}")


if __name__ == "__main__":
    main()
