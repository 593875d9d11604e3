"""A filter lets through what fits, word for word."""

from datetime import timedelta, timezone

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import State
from tests.operations.rows import DEAD, REFUSED, WAITING, at, ids, messages_of, write
from tests.operations.walking import every_state, walk


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
    page = await messages_of(database).page(DEAD, MessageFilter(text="café"), payloads=True)
    assert ids(page.messages) == ["m0"]
    assert "café" in str(page.messages[0].payload)


async def test_a_text_is_not_looked_for_where_secrets_are(database: Database) -> None:
    row = {"payload": "hunter2"}
    await write(database, WAITING, row, {**row, "topic": "logins.v1"})
    wanted = MessageFilter(text="hunter2", hidden=("logins.v1",))
    assert await walk(database, WAITING, wanted, 9) == ["m0"]
