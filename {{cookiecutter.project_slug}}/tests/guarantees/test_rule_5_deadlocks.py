"""Rule 5: replicas that get into each other's way lose a moment, not their work."""

import asyncio
from contextlib import suppress

from sqlalchemy import Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.table import outbox
from tests.guarantees.conftest import write_rows


async def test_the_victim_of_a_deadlock_runs_again(database: Database) -> None:
    await write_rows(database, ("k", "1"), ("k", "2"))
    runs = 0
    both_hold_one = asyncio.Barrier(2)

    async def touch(first: str, second: str) -> None:
        nonlocal runs

        async def work(connection: AsyncConnection) -> None:
            nonlocal runs
            runs += 1
            await connection.execute(_touched(first))
            # Where one may write at a time nobody else gets this far; later runs are alone too.
            with suppress(TimeoutError, asyncio.BrokenBarrierError):
                async with asyncio.timeout(0.5):
                    await both_hold_one.wait()
            await connection.execute(_touched(second))

        await database.run(work)

    async with asyncio.timeout(60):
        await asyncio.gather(touch("1", "2"), touch("2", "1"))
    async with database.reader.connect() as connection:
        attempts = list(await connection.scalars(select(outbox.c.attempts)))
    assert attempts == [2, 2]
    assert runs >= 2


def _touched(payload: str) -> Update:
    return update(outbox).where(outbox.c.payload == payload).values(attempts=outbox.c.attempts + 1)
