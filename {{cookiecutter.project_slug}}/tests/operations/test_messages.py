"""A message is found in whichever state it is, and so is what its request led to."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.states import State
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
from tests.operations.walking import every_state


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
