"""How long an operator waits with a million rows in the outbox and a million in the inbox.

Run it in the folder of a generated service, with the URL of an empty database that may be filled:

    python path/to/benchmarks/operations.py sqlite:///million.db
    python path/to/benchmarks/operations.py postgresql://postgres@127.0.0.1/million --case waiting

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
from collections.abc import Awaitable, Callable, Iterator
from contextlib import redirect_stdout, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.activity import minutes_of, replicas_of
from app.building_blocks.operations.backlog import backlogs
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.messages import Messages
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.operations.states import STATES, State
from app.database import open_database
from sqlalchemy import text

GOAL_MS = 300.0
RUNS = 7

# By state, in percent of all rows of its box.
CASES = {
    "mixed": {
        "outbox": {"waiting": 20, "dead": 10, "published": 70},
        "inbox": {"retrying": 10, "dead": 15, "handled": 70, "discarded": 5},
    },
    "waiting": {"outbox": {"waiting": 100}, "inbox": {"retrying": 100}},
    "dead": {"outbox": {"dead": 100}, "inbox": {"dead": 100}},
    "over": {"outbox": {"published": 100}, "inbox": {"handled": 50, "discarded": 50}},
}

# How each database makes the numbers from 1 to :rows, an id, a time and bytes of them.
SQL = {
    "sqlite": {
        "numbers": "WITH RECURSIVE s(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM s "
        "WHERE n < :last) SELECT {} FROM s",
        "id": "printf('%08x-0000-7000-8000-000000000000', n)",
        "ago": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({}) || ' seconds')",
        "bytes": "CAST({} AS BLOB)",
        "join": "{} || {}",
    },
    "postgresql": {
        "numbers": "SELECT {} FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n",
        "id": "lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000'",
        "ago": "now() - make_interval(secs => {})",
        "bytes": "convert_to({}, 'UTF8')",
        "join": "{} || {}",
    },
    "mysql": {
        "numbers": "SELECT {} FROM (SELECT seq AS n FROM seq_1_to_10000000 "
        "WHERE seq BETWEEN :first AND :last) s",
        "id": "concat(lpad(lower(hex(n)), 8, '0'), '-0000-7000-8000-000000000000')",
        "ago": "utc_timestamp(6) - INTERVAL ({}) * 1000000 MICROSECOND",
        "bytes": "{}",
        "join": "concat({}, {})",
    },
}
PAYLOAD = (
    '\'{"order_id": "0198f3a2-6c1e-7d3b-9f70-3a5b1c2d4e6f", "note": "' + "lorem " * 40 + "\"}'"
)
HEADERS = (
    '\'{"ce-specversion": "1.0", "ce-type": "x", "ce-source": "/shop", "traceparent": '
    '"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}\''
)


async def fill(database: Database, case: str, rows: int) -> None:
    """`rows` in each box, the oldest a day ago, and a day of minutes of ten processes."""
    sql = SQL[database.writer.dialect.name]

    def ago(seconds: str) -> str:
        return sql["ago"].format(seconds)

    def joined(prefix: str, value: str) -> str:
        number = (
            f"CAST({value} AS CHAR(10))" if sql is not SQL["postgresql"] else f"({value})::text"
        )
        return sql["join"].format(f"'{prefix}'", number)

    columns = {
        "message_id": sql["id"],
        "topic": joined("orders.topic-", "n % 20"),
        "correlation_id": joined(
            "request-", "(n - n % 5) / 5" if sql is not SQL["mysql"] else "n DIV 5"
        ),
        "headers": HEADERS,
        "attempts": "n % 3",
    }
    columns[database.writer.dialect.identifier_preparer.quote("key")] = joined("key-", "n % 10000")
    # The higher the number, the later it was written.
    when = ago(f"({rows} - n) * {86400 / rows}")
    for box, shares in CASES[case].items():
        first = 1
        for name, percent in shares.items():
            last = first + rows * percent // 100 - 1
            values = dict(columns)
            if box == "inbox":
                table = "inbox"
                values |= {
                    "consumer": joined("shop.payments.when-", "n % 4"),
                    "state": f"'{name}'",
                    "payload": sql["bytes"].format(PAYLOAD),
                    "received_at": when,
                    ("next_attempt_at" if name == "retrying" else "handled_at"): when,
                    "last_error": "'ValueError: not today'"
                    if name in ("retrying", "dead")
                    else "NULL",
                }
            elif name == "published":
                table = "outbox_published"
                values |= {"payload": PAYLOAD, "created_at": when, "published_at": when}
            else:
                table = "outbox"
                values |= {"payload": PAYLOAD, "created_at": when, "state": f"'{name}'"}
            what = sql["numbers"].format(", ".join(values.values()))
            if sql is SQL["sqlite"]:
                head, _, rest = what.partition(") SELECT ")
                insert = f"{head}) INSERT INTO {table} ({', '.join(values)}) SELECT {rest}"
            else:
                insert = f"INSERT INTO {table} ({', '.join(values)}) {what}"
            async with database.begin() as connection:
                await connection.execute(text(insert), {"first": first, "last": last})
            first = last + 1
    async with database.begin() as connection:
        minute = ago("n * 60")
        for replica in range(10):
            what = sql["numbers"].format(f"{minute}, 'replica-{replica}', 5, 5, 1, 0")
            head = (
                "INSERT INTO replica_minutes (minute, replica, published, handled, failed, dead) "
            )
            if sql is SQL["sqlite"]:
                cte, _, rest = what.partition(") SELECT ")
                await connection.execute(
                    text(f"{cte}) {head} SELECT {rest}"), {"first": 1, "last": 1439}
                )
            else:
                await connection.execute(text(head + what), {"first": 1, "last": 1439})
    async with database.reader.connect() as connection:
        for table in ("outbox", "outbox_published", "inbox"):
            analyze = {"mysql": "ANALYZE TABLE"}.get(database.writer.dialect.name, "ANALYZE")
            await connection.execute(text(f"{analyze} {table}"))


def filters(rows: int) -> dict[str, MessageFilter]:
    now = datetime.now(UTC)
    middle = f"{rows // 2:08x}-0000-7000-8000-000000000000"
    return {
        "no filter": MessageFilter(),
        "topic of 5 %": MessageFilter(topic="orders.topic-7"),
        "topic of none": MessageFilter(topic="orders.nothing"),
        "key of 100 rows": MessageFilter(key="key-77"),
        "key of none": MessageFilter(key="nobody"),
        "consumer of 25 %": MessageFilter(consumer="shop.payments.when-1"),
        "consumer of none": MessageFilter(consumer="nobody"),
        "message id": MessageFilter(message_id=middle),
        "message id of none": MessageFilter(message_id="nothing"),
        "text in all": MessageFilter(text="lorem"),
        "text in none": MessageFilter(text="nothing like it"),
        "last 5 minutes": MessageFilter(since=now - timedelta(minutes=5)),
        "a minute at noon": MessageFilter(
            since=now - timedelta(hours=12), until=now - timedelta(hours=11, minutes=59)
        ),
        "before all": MessageFilter(until=now - timedelta(days=9)),
        "topic, key and text of none": MessageFilter(
            topic="orders.topic-7", key="key-78", text="nothing like it"
        ),
    }


Question = Callable[[], Awaitable[Any]]


def questions(database: Database, rows: int) -> Iterator[tuple[str, Question]]:
    messages = Messages(database, Secrets([]))
    some = f"{rows // 2:08x}-0000-7000-8000-000000000000"
    for state in STATES:
        for name, wanted in filters(rows).items():
            yield (
                f"page {state.box} {state.name}: {name}",
                lambda state=state, wanted=wanted: messages.page(state, wanted),
            )
        yield f"page {state.box} {state.name}: the 20th", lambda state=state: _deep(messages, state)
        yield (
            f"count {state.box} {state.name}: topic of 5 %",
            lambda state=state: messages.count(state, MessageFilter(topic="orders.topic-7")),
        )
    for box in ("outbox", "inbox"):
        yield f"find {box}", lambda box=box: messages.find(box, some)
        yield f"find {box}: none", lambda box=box: messages.find(box, "nothing")
    yield "chain", lambda: messages.chain(f"request-{rows // 10}")
    yield "chain of none", lambda: messages.chain("nothing")
    yield "backlogs", lambda: backlogs(database)
    yield "minutes of a day", lambda: minutes_of(database)
    yield "replicas", lambda: replicas_of(database)


_deep_cursors: dict[str, str | None] = {}


async def _deep(messages: Messages, state: State) -> None:
    """A page after 19 others, which are walked once."""
    name = f"{state.box} {state.name}"
    if name not in _deep_cursors:
        after: str | None = None
        for _ in range(19):
            page = await messages.page(state, MessageFilter(), after)
            after = page.next or after
        _deep_cursors[name] = after
    await messages.page(state, MessageFilter(), _deep_cursors[name])


def commands() -> Iterator[list[str]]:
    for box in ("outbox", "inbox"):
        yield [box, "status"]
        yield [box, "status", "--json"]
        yield [box, "show", "00030d40-0000-7000-8000-000000000000"]
        for state in (state.name for state in STATES if state.box == box):
            yield [box, "list", "--state", state]
            yield [box, "list", "--state", state, "--topic", "orders.nothing"]
            yield [box, "list", "--state", state, "--text", "nothing like it", "--json"]


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
