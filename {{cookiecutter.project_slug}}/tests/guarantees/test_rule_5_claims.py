"""Rule 5: claims are safe with many replicas, fenced, and by the database's clock."""

import asyncio
from collections import Counter
from datetime import datetime

from sqlalchemy import select, update

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.claim_statements import copy_to_published, move_to_published, take
from app.building_blocks.outbox.claims import Claims, Refusal
from app.building_blocks.outbox.due import due_rows_of_other_keys, keys_that_wait, missed_rows
from app.building_blocks.outbox.table import outbox, published
from tests.guarantees.conftest import (
    StartPublisher,
    count_published,
    count_waiting,
    outbox_row,
    write_rows,
)
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.waiting import eventually


async def test_replicas_send_each_of_ten_thousand_rows_once(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    await write_rows(database, *((f"k{n % 500}", f"{n}") for n in range(10_000)))
    for _ in range(4):
        await start_publisher(batch_size=500)

    async def drained() -> bool:
        return await count_waiting(database) == 0

    await eventually(drained, deadline=120, what="10,000 published rows")
    assert Counter(Counter(broker.bodies).values()) == {1: 10_000}


async def test_a_claimed_row_is_nobody_elses(database: Database) -> None:
    await write_rows(database, (None, "1"), (None, "2"), (None, "3"))
    one, other = Claims(database), Claims(database)
    assert [row.payload for row in await one.claim(2)] == ["1", "2"]
    assert [row.payload for row in await other.claim(2)] == ["3"]


async def test_claims_at_the_same_moment_share_the_rows_out(database: Database) -> None:
    await write_rows(database, *((f"k{n}", f"{n}") for n in range(60)))
    batches = await asyncio.gather(*(Claims(database).claim(30) for _ in range(4)))
    claimed = Counter(row.payload for batch in batches for row in batch)
    assert set(claimed.values()) == {1}


async def test_a_stalled_publishers_late_mark_changes_nothing(database: Database) -> None:
    await write_rows(database, ("k", "1"))
    stalled = Claims(database, lease=0.05)
    late = await stalled.claim(1)

    async def claim_again() -> list[object]:
        return list(await Claims(database).claim(1))

    # The lease runs out, and another replica takes the row.
    [second] = await eventually(claim_again, what="the row free again")
    before = await outbox_row(database, "1")

    assert await stalled.mark_published(late) == 0
    await stalled.mark_refused([Refusal(late[0], "too late", None)])
    await stalled.release(late)
    assert await outbox_row(database, "1") == before
    assert second is not None
    assert await count_published(database) == 0


async def test_published_rows_are_kept_in_the_order_in_which_they_were_written(
    database: Database,
) -> None:
    written = [f"{number}" for number in range(100)]
    await write_rows(database, *((None, payload) for payload in written))
    claims = Claims(database)
    rows = await claims.claim(100)
    # So that they stand in the table in another order than that of their positions.
    async with database.begin() as connection:
        for row in rows[::-1]:
            is_this = outbox.c.message_id == row.message_id
            await connection.execute(update(outbox).where(is_this).values(attempts=1))
    assert await claims.mark_published(rows) == 100
    async with database.reader.connect() as connection:
        kept = await connection.scalars(select(published.c.payload).order_by(published.c.id))
        assert list(kept) == written


async def test_a_crashed_publishers_rows_go_out_within_the_lease(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    await write_rows(database, ("k", "1"), ("k", "2"))
    crashed = Claims(database, lease=0.3)
    assert len(await crashed.claim(10)) == 2
    await start_publisher()

    async def drained() -> bool:
        return await count_waiting(database) == 0

    await eventually(drained, deadline=5, what="the crashed replica's rows")
    assert broker.bodies == ["1", "2"]


def test_a_claim_sends_no_time_of_the_hosts(database: Database) -> None:
    dialect = database.dialect
    for statement in (
        due_rows_of_other_keys(dialect),
        keys_that_wait(dialect),
        missed_rows(dialect),
        take(dialect, 30),
        copy_to_published(dialect),
        move_to_published(dialect),
        select(dialect.later(30)),
    ):
        sent = statement.compile(dialect=database.writer.dialect).params.values()
        assert not [value for value in sent if isinstance(value, datetime)]


async def test_stopping_finishes_what_is_in_flight_and_marks_only_that(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    await write_rows(database, ("a", "1"), ("b", "2"))
    broker.may_answer.clear()
    publisher = await start_publisher(drain_timeout=0.1)

    async def both_in_flight() -> bool:
        return broker.attempts == 2

    await eventually(both_in_flight, what="both in flight")
    publisher._wake_up.close()

    async def given_back() -> bool:
        rows = [await outbox_row(database, payload) for payload in ("1", "2")]
        return all(row is not None and row.claim_token is None for row in rows)

    await eventually(given_back, what="the claims released")
    assert await count_published(database) == 0
