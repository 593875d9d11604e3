"""The time of one claim and the rate of a drain, with many rows in the tables."""

import argparse
import gc
import time
from contextlib import AsyncExitStack
from pathlib import Path

from app.building_blocks.databases.database import Database
from app.building_blocks.logs import configure_logs
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.table import outbox
from app.database import open_database
from app.settings import load_settings
from child import quantile, run, tell
from draining import Draining
from many_rows import make_published, make_waiting
from rows import tidy
from sqlalchemy import select

CLAIMS = 30
EARLY = 20_000


async def claim_ms(database: Database, limit: int) -> float:
    """Median over several claims of the next rows each, given back untouched at the end."""
    claims, times = Claims(database), list[float]()
    held: list[ClaimedRow] = []
    while len(times) < CLAIMS:
        begun = time.perf_counter()
        rows = await claims.claim(limit)
        took = time.perf_counter() - begun
        if rows or not held:
            held += rows
            times.append(1000 * took)
        else:
            await claims.release(held)
            held.clear()
    await claims.release(held)
    return quantile(times, 0.5)


async def hold_old_snapshot(database: Database, stack: AsyncExitStack) -> None:
    """A session that sees the tables as they are now, for as long as the stack lasts."""
    connection = await stack.enter_async_context(database.writer.connect())
    await connection.execution_options(isolation_level="REPEATABLE READ")
    await connection.execute(select(outbox.c.position).limit(1))


def memory_mb() -> float:
    """What the process has in memory now."""
    gc.collect()
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, required=True)
    parser.add_argument("--published", type=int, default=0)
    parser.add_argument("--drain", type=int, required=True, help="so many of the waiting rows")
    parser.add_argument("--old-snapshot", action="store_true", help="not with SQLite")
    chosen = parser.parse_args()
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    database = open_database(settings.database_url)
    await make_published(database, chosen.published)
    await make_waiting(database, chosen.waiting)
    await tidy(database)
    batch = settings.outbox_batch_size
    async with AsyncExitStack() as stack:
        if chosen.old_snapshot:
            await hold_old_snapshot(database, stack)
        before = await claim_ms(database, batch)
        early = min(EARLY, chosen.drain // 2)
        async with Draining(settings, database) as draining:
            first = await draining.drain(early)
            memory_early = memory_mb()
            rest = await draining.drain(chosen.drain - first["rows"])
            memory_late = memory_mb()
        parts = (first, rest)
        rows = sum(part["rows"] for part in parts)
        tell(
            claim_ms=before,
            claim_ms_after=await claim_ms(database, batch),
            rate=rows / sum(part["ended"] - part["begun"] for part in parts),
            drained=rows,
            memory_early=memory_early,
            memory_late=memory_late,
        )
    await database.dispose()


run(main())
