"""What only PostgreSQL does: LISTEN and NOTIFY between processes, and what its errors quote."""

import asyncio

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.claim_statements import take
from app.building_blocks.outbox.signalling import listening, signalling
from app.building_blocks.outbox.table import outbox
from app.building_blocks.wake_up import WakeUp
from app.database import open_database
from tests.many_rows import fill, plan_of_a_claim
from tests.waiting import eventually


async def woken(wake_up: WakeUp) -> None:
    async with asyncio.timeout(10):
        await wake_up.sleep(3600)


async def listeners(database: Database) -> int:
    async with database.reader.connect() as connection:
        count = await connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query IN ('SELECT 1', 'UNLISTEN *') "
                "AND pid <> pg_backend_pid()"
            )
        )
    return count or 0


async def test_a_commit_in_one_process_wakes_the_publisher_of_another(database: Database) -> None:
    signals = database.signals
    assert signals is not None
    publishing, committing = WakeUp(), WakeUp()
    async with listening(signals, publishing), signalling(signals, committing):
        # The listener wakes once by itself, for what it may have missed.
        await woken(publishing)
        committing.set()
        await woken(publishing)


async def test_the_listener_comes_back_after_its_connection_was_cut(database: Database) -> None:
    signals = database.signals
    assert signals is not None
    publishing, committing = WakeUp(), WakeUp()
    async with listening(signals, publishing), signalling(signals, committing):
        await woken(publishing)
        async with database.reader.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        # It notices, connects again, and wakes for what it may have missed.
        await woken(publishing)
        committing.set()
        await woken(publishing)


async def test_a_listener_leaves_no_listening_connection_behind(database: Database) -> None:
    signals = database.signals
    assert signals is not None
    publishing = WakeUp()
    async with listening(signals, publishing):
        await woken(publishing)

    async def gone() -> bool:
        return await listeners(database) == 0

    await eventually(gone, what="the listening connection closed")


@pytest.mark.parametrize("kind", ["integer", "uuid", "timestamptz", "json", "integer[]", "inet"])
@pytest.mark.parametrize("value", ["hunter2", '"hunter2": "', "hun\nter2"])
async def test_an_error_quotes_no_value(database: Database, kind: str, value: str) -> None:
    statement = text(f"SELECT CAST(CAST(:value AS text) AS {kind})")
    with pytest.raises(DBAPIError) as caught:
        async with database.reader.connect() as connection:
            await connection.execute(statement, {"value": value})
    error = caught.value
    told = f"{error} {error!r} {error.orig!r} {error.orig.__cause__ if error.orig else ''!r}"
    assert value not in told
    assert "hunter2" not in told
    assert kind.removesuffix("[]") in told or "malformed" in told


async def test_a_number_that_is_too_large_is_not_quoted(database: Database) -> None:
    statement = text("SELECT CAST(CAST(:value AS text) AS integer)")
    with pytest.raises(DBAPIError, match="out of range for type integer") as caught:
        async with database.reader.connect() as connection:
            await connection.execute(statement, {"value": "98765432109876"})
    assert "98765432109876" not in str(caught.value)


async def test_a_url_may_say_sslmode_as_it_does_for_libpq(database: Database) -> None:
    url = make_url(database.url).set(drivername="postgresql")
    plain = open_database(f"{url.render_as_string(hide_password=False)}?sslmode=disable")
    own = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    async with plain.reader.connect() as connection:
        assert await connection.scalar(own) is False
    await plain.dispose()


async def test_a_claim_writes_to_no_index(database: Database) -> None:
    await fill(database, waiting=1000)
    counts = text(
        "SELECT pg_stat_get_xact_tuples_updated('outbox'::regclass),"
        " pg_stat_get_xact_tuples_hot_updated('outbox'::regclass)"
    )
    async with database.begin() as connection:
        before = (await connection.execute(counts)).one()
        positions = list(await connection.scalars(select(outbox.c.position).limit(500)))
        claim = {"positions": positions, "token": "mine"}
        await connection.execute(take(database.dialect, 30), claim)
        after = (await connection.execute(counts)).one()
    assert after[0] - before[0] == 500
    assert after[1] - before[1] > 450


async def test_a_claim_passes_rows_of_other_states_by(database: Database) -> None:
    plan = await plan_of_a_claim(database, "EXPLAIN", "ANALYZE outbox")
    assert "ix_outbox_state_position" in plan, plan
