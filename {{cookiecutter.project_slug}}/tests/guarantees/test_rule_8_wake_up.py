"""Rule 8: wake at once, poll as a fallback."""

import asyncio

from sqlalchemy import text

from app.building_blocks.databases.database import Database
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.conftest import StartPublisher, write_rows
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.waiting import eventually


async def test_a_commit_in_this_process_goes_out_without_waiting_for_the_poll(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    wake_up = WakeUp()
    await start_publisher(poll_interval=3600, wake_up=wake_up)
    await write_rows(database, ("k", "1"))
    wake_up.set()

    async def out() -> bool:
        return broker.bodies == ["1"]

    await eventually(out, what="the row")


async def test_a_row_inserted_by_raw_sql_goes_out(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    await start_publisher(poll_interval=0.05)
    async with database.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO outbox (message_id, topic, payload) "
                "VALUES ('01a2', 'tests.happened.v1', '{}')"
            )
        )

    async def out() -> bool:
        return broker.bodies == ["{}"]

    await eventually(out, what="the row")
    assert broker.sent[0].headers["ce-id"] == "01a2"
    assert broker.sent[0].headers["ce-type"] == "tests.happened.v1"


async def test_a_lower_position_that_commits_later_is_not_skipped(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    # Databases with one writer at a time cannot get here; there the second insert waits.
    await start_publisher(poll_interval=0.02)
    may_commit = asyncio.Event()
    inserted = asyncio.Event()

    async def slow() -> None:
        async with database.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO outbox (message_id, topic, payload) "
                    "VALUES ('1', 'tests.happened.v1', 'slow')"
                )
            )
            inserted.set()
            await may_commit.wait()

    task = asyncio.create_task(slow())
    await inserted.wait()
    quick = asyncio.create_task(write_rows(database, (None, "quick")))
    done, _ = await asyncio.wait({quick}, timeout=0.5)
    if done:

        async def quick_is_out() -> bool:
            return broker.bodies == ["quick"]

        await eventually(quick_is_out, what="the higher position")
    may_commit.set()
    await asyncio.gather(task, quick)

    async def both_are_out() -> bool:
        return sorted(broker.bodies) == ["quick", "slow"]

    await eventually(both_are_out, what="the lower position")
