"""Messages are found in every state, page by page, whatever comes and goes meanwhile."""

import base64
import json
from datetime import timedelta, timezone
from typing import Any

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations import search
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import STATES, State
from tests.operations.rows import (
    DEAD,
    HANDLED,
    PUBLISHED,
    REFUSED,
    RETRYING,
    WAITING,
    at,
    ids,
    messages_of,
    write,
)

EVERYTHING = MessageFilter()
every_state = pytest.mark.parametrize(
    "state", STATES, ids=lambda state: f"{state.box}-{state.name}"
)


async def walk(database: Database, state: State, wanted: MessageFilter, limit: int) -> list[str]:
    """The ids on all pages, in their order."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = await messages_of(database).page(state, wanted, after, limit)
        assert len(page.messages) <= limit
        found += ids(page.messages)
        if page.next is None:
            assert page.searched_all
            return found
        after = page.next


@every_state
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_the_pages_of_a_state_hold_each_message_once(
    database: Database, state: State, limit: int
) -> None:
    await write(database, state, *({} for _ in range(7)))
    found = await walk(database, state, EVERYTHING, limit)
    expected = [f"m{number}" for number in range(7)]
    assert found == (expected[::-1] if state.descending else expected)


@every_state
async def test_messages_of_one_moment_are_on_one_page_each(
    database: Database, state: State
) -> None:
    same = {
        name: at(0)
        for name in ("handled_at", "next_attempt_at", "published_at")
        if name in (column.name for column in state.order)
    }
    rows: list[dict[str, Any]] = [{"message_id": f"m{number}", **same} for number in range(5)]
    if state.box == "inbox":
        rows += [{"message_id": "m3", "consumer": "svc.tests.two", **same}]
    await write(database, state, *rows)
    found = await walk(database, state, EVERYTHING, 2)
    assert sorted(found) == sorted(row["message_id"] for row in rows)


@every_state
async def test_what_comes_after_the_first_page_moves_no_message_to_another(
    database: Database, state: State
) -> None:
    await write(database, state, *({} for _ in range(4)))
    messages = messages_of(database)
    first = await messages.page(state, EVERYTHING, limit=2)
    await write(database, state, *({"message_id": f"later{number}"} for number in range(4)))
    rest = await walk_from(database, state, first.next)
    assert [one for one in ids(first.messages) + rest if one.startswith("m")] == (
        ["m3", "m2", "m1", "m0"] if state.descending else ["m0", "m1", "m2", "m3"]
    )


async def walk_from(database: Database, state: State, after: str | None) -> list[str]:
    page = await messages_of(database).page(state, EVERYTHING, after, 100)
    return ids(page.messages)


@every_state
async def test_an_empty_state_has_one_empty_page(database: Database, state: State) -> None:
    page = await messages_of(database).page(state, EVERYTHING)
    assert (page.messages, page.next, page.searched_all) == ([], None, True)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (MessageFilter(message_id="m1"), ["m1"]),
        (MessageFilter(topic="other.v1"), ["m1"]),
        (MessageFilter(key="k"), ["m2"]),
        (MessageFilter(key="K"), []),
        (MessageFilter(topic="tests.happened.v1", key="k"), ["m2"]),
        (MessageFilter(topic="other.v1", key="k"), []),
        (MessageFilter(since=at(2)), ["m2", "m3"]),
        (MessageFilter(until=at(2)), ["m0", "m1"]),
        (MessageFilter(since=at(1), until=at(3)), ["m1", "m2"]),
        (MessageFilter(key="\ud800"), []),
        (MessageFilter(topic="a\0b"), []),
    ],
)
@every_state
async def test_a_filter_lets_through_what_fits(
    database: Database, state: State, wanted: MessageFilter, fits: list[str]
) -> None:
    await write(database, state, {}, {"topic": "other.v1"}, {"key": "k"}, {})
    assert sorted(await walk(database, state, wanted, 2)) == fits


async def test_a_time_of_another_zone_is_the_same_moment(database: Database) -> None:
    await write(database, WAITING, {}, {}, {})
    moment = at(1).astimezone(timezone(timedelta(hours=5)))
    page = await messages_of(database).page(WAITING, MessageFilter(since=moment))
    assert ids(page.messages) == ["m1", "m2"]
    assert page.messages[0].since == at(1)


async def test_a_consumer_is_a_filter_of_the_inbox_and_fits_nothing_of_the_outbox(
    database: Database,
) -> None:
    await write(database, DEAD, {}, {"consumer": "svc.tests.two"})
    await write(database, REFUSED, {})
    wanted = MessageFilter(consumer="svc.tests.two")
    assert await walk(database, DEAD, wanted, 2) == ["m1"]
    assert await walk(database, REFUSED, wanted, 2) == []


TEXTS = ["100%", "a_b", "wow!", "!%", "Größe 🚀", "'; --", 'say "hi"', "\\", "[x]*?", "\x1b[31m"]


@every_state
@pytest.mark.parametrize("text", TEXTS)
async def test_text_is_found_as_it_is_written(database: Database, state: State, text: str) -> None:
    other = {"payload": "100 aXb wow % Grösse hi x"}
    await write(database, state, other, {"payload": f"before {text} after"}, other)
    assert await walk(database, state, MessageFilter(text=text), 1) == ["m1"]


@every_state
async def test_capitals_in_a_text_count(database: Database, state: State) -> None:
    await write(database, state, {"payload": "Ada"}, {"payload": "ada"})
    assert await walk(database, state, MessageFilter(text="Ada"), 9) == ["m0"]


async def test_a_text_is_looked_for_in_errors_and_ids_too(database: Database) -> None:
    await write(database, DEAD, {"last_error": "ValueError: 7%"}, {"message_id": "7%"}, {})
    assert sorted(await walk(database, DEAD, MessageFilter(text="7%"), 9)) == ["7%", "m0"]


async def test_bytes_that_are_no_text_can_be_searched_and_shown(database: Database) -> None:
    await write(database, DEAD, {"payload": b"\xff\x00 caf\xc3\xa9 \xc3"}, {"payload": b"\xc3"})
    page = await messages_of(database).page(DEAD, MessageFilter(text="café"))
    assert ids(page.messages) == ["m0"]
    assert "café" in page.messages[0].payload


async def test_a_text_is_not_looked_for_where_secrets_are(database: Database) -> None:
    row = {"payload": "hunter2"}
    await write(database, WAITING, row, {**row, "topic": "logins.v1"})
    wanted = MessageFilter(text="hunter2", hidden=("logins.v1",))
    assert await walk(database, WAITING, wanted, 9) == ["m0"]


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


def crafted(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


BAD_CURSORS = [
    "", "x", "é", "%%%", "a" * 5000, crafted(), crafted(None), crafted("1"), crafted(1, 2),
    crafted(-1), crafted(10**30), crafted(1.5), crafted(True), crafted([1]),
    base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    crafted("2026-01-01T00:00:00+00:00", "m", 7), crafted("yesterday", "m", "c"),
    crafted("2026-01-01T00:00:00+00:00", "\0", "c"),
]  # fmt: skip


@pytest.mark.parametrize("after", BAD_CURSORS, ids=range(len(BAD_CURSORS)))
@pytest.mark.parametrize("state", [WAITING, DEAD], ids=["outbox", "inbox"])
async def test_a_place_where_no_page_ended_is_refused(
    database: Database, state: State, after: str
) -> None:
    with pytest.raises(ValueError, match="begins nowhere"):
        await messages_of(database).page(state, EVERYTHING, after)


@every_state
async def test_a_message_is_found_in_whichever_state_it_is(
    database: Database, state: State
) -> None:
    await write(database, state, {}, {})
    message = await messages_of(database).find(state.box, "m1")
    assert message is not None
    assert (message.message_id, message.state, message.since) == ("m1", state.name, at(1))
    assert await messages_of(database).find(state.box, "m9") is None


async def test_each_consumer_of_a_message_is_found(database: Database) -> None:
    await write(database, DEAD, {}, {"message_id": "m0", "consumer": "svc.tests.two"})
    messages = messages_of(database)
    assert len(await messages.find_all("inbox", "m0")) == 2
    message = await messages.find("inbox", "m0", "svc.tests.two")
    assert message is not None
    assert message.consumer == "svc.tests.two"


async def test_the_chain_of_a_request_leads_through_outbox_and_inbox(database: Database) -> None:
    for number, state in enumerate((PUBLISHED, HANDLED, DEAD, RETRYING, WAITING, REFUSED)):
        time = {"received_at" if state.box == "inbox" else "created_at": at(number)}
        row = {"message_id": f"{state.box}-{state.name}", **time}
        other = {"message_id": f"other-{number}", "correlation_id": "c2"}
        await write(database, state, {**row, "correlation_id": "c1"}, other)
    chain = await messages_of(database).chain("c1")
    assert ids(chain) == [
        "outbox-published", "inbox-handled", "inbox-dead", "inbox-retrying", "outbox-waiting",
        "outbox-dead",
    ]  # fmt: skip
    assert await messages_of(database).chain("c3") == []


async def test_the_chain_has_the_oldest_and_the_newest_of_what_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.building_blocks.operations.search.SEARCHED_FOR_CHAIN", 2)
    await write(database, WAITING, *({"correlation_id": "c"} for _ in range(6)))
    chain = await messages_of(database).chain("c")
    assert sorted(ids(chain)) == ["m0", "m1", "m4", "m5"]
    monkeypatch.setattr("app.building_blocks.operations.search.SEARCHED_FOR_CHAIN", 4)
    assert len(await messages_of(database).chain("c")) == 6


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
