"""The backlog says how much waits and since when, in a time that does not grow."""

import pytest
from sqlalchemy import insert, update

from app.building_blocks.databases.database import Database
from app.building_blocks.operations import backlog
from app.building_blocks.operations.backlog import Backlog, backlogs
from app.building_blocks.operations.states import STATES, State
from app.building_blocks.outbox.table import outbox
from tests.operations.rows import REFUSED, WAITING, write


async def of(database: Database, state: State) -> Backlog:
    [found] = [
        one for one in await backlogs(database) if (one.box, one.state) == (state.box, state.name)
    ]
    return found


async def test_an_empty_service_has_no_backlog(database: Database) -> None:
    assert await backlogs(database) == [
        Backlog(state.box, state.name, 0, False, None) for state in STATES
    ]


async def test_only_what_somebody_can_do_something_about_is_open(database: Database) -> None:
    found = await backlogs(database, only_open=True)
    assert {(one.box, one.state) for one in found} == {
        ("outbox", "waiting"), ("outbox", "dead"), ("inbox", "retrying"), ("inbox", "dead"),
    }  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=[f"{one.box}-{one.name}" for one in STATES])
async def test_each_state_has_its_number_and_the_age_of_the_first_in_line(
    database: Database, state: State
) -> None:
    await write(database, state, {}, {}, {})
    ages = {
        state.since.name: database.dialect.later(-50),
    }
    async with database.begin() as connection:
        await connection.execute(update(state.table).values(ages))
    found = await of(database, state)
    assert (found.rows, found.is_more) == (3, False)
    assert found.oldest_seconds is not None
    assert 50 <= found.oldest_seconds < 110


async def test_counting_stops_where_it_would_take_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "COUNTED", 2)
    await write(database, REFUSED, {}, {})
    assert (await of(database, REFUSED)).is_more is False
    await write(database, REFUSED, {"message_id": "one more"})
    found = await of(database, REFUSED)
    assert (found.rows, found.is_more) == (2, True)


async def _wait(database: Database, name: str, created: float, available: float | None) -> None:
    dialect = database.dialect
    due = None if available is None else dialect.later(available)
    async with database.begin() as connection:
        await connection.execute(
            insert(outbox).values(
                message_id=name, topic="t.v1", headers={}, payload="{}",
                created_at=dialect.later(created), available_at=due,
            )
        )  # fmt: skip


async def test_what_is_to_go_out_later_is_not_late(database: Database) -> None:
    await _wait(database, "reminder", -5000, 5000)
    found = await of(database, WAITING)
    assert (found.rows, found.oldest_seconds) == (1, None)

    await _wait(database, "due", -3000, -10)
    found = await of(database, WAITING)
    assert found.oldest_seconds is not None
    assert 10 <= found.oldest_seconds < 70

    async with database.begin() as connection:
        refused = outbox.c.message_id == "reminder"
        await connection.execute(update(outbox).where(refused).values(attempts=1))
    found = await of(database, WAITING)
    assert found.oldest_seconds is not None
    assert found.oldest_seconds >= 5000
