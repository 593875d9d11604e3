"""A search ends after so many rows, and goes on where it ended."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations import search
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import State
from tests.operations.rows import (
    DEAD,
    HANDLED,
    PUBLISHED,
    REFUSED,
    WAITING,
    at,
    ids,
    messages_of,
    write,
)
from tests.operations.walking import every_state


@every_state
async def test_a_search_ends_and_goes_on_where_it_ended(
    database: Database, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SEARCHED", 3)
    rows = [{"topic": "rare.v1"} if number in (4, 8) else {} for number in range(10)]
    await write(database, state, *rows)
    pages, after = [], None
    while True:
        page = await messages_of(database).page(state, MessageFilter(topic="rare.v1"), after)
        pages.append(ids(page.messages))
        assert page.searched_all == (page.next is None)
        if page.next is None:
            break
        after = page.next
    assert pages == ([[], ["m4"], ["m8"], []] if not state.descending else [["m8"], ["m4"], [], []])


async def test_rows_that_go_during_a_search_make_it_skip_none(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SEARCHED", 3)
    await write(database, WAITING, *({"topic": "rare.v1"} if n == 3 else {} for n in range(6)))
    first = await messages_of(database).page(WAITING, MessageFilter(topic="rare.v1"))
    async with database.begin() as connection:
        gone = WAITING.table.c.message_id.in_(["m0", "m1", "m2"])
        await connection.execute(WAITING.table.delete().where(gone))
    rest = await messages_of(database).page(WAITING, MessageFilter(topic="rare.v1"), first.next)
    assert (ids(first.messages), ids(rest.messages)) == ([], ["m3"])


@pytest.mark.parametrize(
    "wanted", [MessageFilter(message_id="m0"), MessageFilter(key="k")], ids=["id", "key"]
)
async def test_what_an_index_leads_to_is_found_however_far_away_it_is(
    database: Database, monkeypatch: pytest.MonkeyPatch, wanted: MessageFilter
) -> None:
    monkeypatch.setattr(search, "SEARCHED", 2)
    await write(database, REFUSED, {"key": "k"}, *({} for _ in range(5)))
    page = await messages_of(database).page(REFUSED, wanted)
    assert (ids(page.messages), page.searched_all) == (["m0"], True)


async def test_times_lead_to_where_they_are_in_what_is_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SEARCHED", 2)
    for state in (PUBLISHED, HANDLED, DEAD):
        await write(database, state, *({"message_id": f"{state.name}{n}"} for n in range(6)))
        page = await messages_of(database).page(state, MessageFilter(until=at(2)))
        assert ids(page.messages) == [f"{state.name}1", f"{state.name}0"]


async def test_a_count_ends_where_a_search_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, WAITING, *({"topic": "rare.v1"} if n % 2 else {} for n in range(6)))
    messages = messages_of(database)
    counted = await messages.count(WAITING, MessageFilter(topic="rare.v1"))
    assert (counted.rows, counted.is_more) == (3, False)
    monkeypatch.setattr(search, "SEARCHED", 4)
    counted = await messages.count(WAITING, MessageFilter(topic="rare.v1"))
    assert (counted.rows, counted.is_more) == (2, True)
