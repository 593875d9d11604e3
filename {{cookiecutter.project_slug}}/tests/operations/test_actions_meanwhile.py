"""What an operator does and what the service does to a message meanwhile get along."""

from typing import Any

import pytest
from sqlalchemy import select, update

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.retention import Retention
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.consuming import (
    NO_RETRY,
    consumer_of,
    count_effects,
    fail,
    order_created,
    take_payment,
)
from tests.operations.rows import (
    DEAD,
    DISCARDED,
    HANDLED,
    RETRYING,
    WAITING,
    actions_of,
    count,
    messages_of,
    write,
)


async def test_what_a_publisher_holds_is_not_discarded(database: Database) -> None:
    await write(database, WAITING, {"payload": "held"}, {"payload": "free"})
    [held] = await Claims(database).claim(1)
    actions = actions_of(database)
    assert await actions.discard(WAITING, MessageFilter(message_id=held.message_id), "ada") == 0
    assert await actions.discard(WAITING, MessageFilter(), "ada") == 1
    assert await Claims(database).mark_published([held]) == 1


async def test_what_stays_in_its_state_is_tried_again_only_once(database: Database) -> None:
    await write(database, WAITING, {}, {})
    await Claims(database).claim(1)
    assert await actions_of(database).retry(WAITING, MessageFilter(), "ada") == 1


async def test_a_claim_that_is_over_keeps_nobody_from_discarding(database: Database) -> None:
    await write(database, WAITING, {})
    await Claims(database, lease=-1.0).claim(1)
    assert await actions_of(database).discard(WAITING, MessageFilter(), "ada") == 1


async def test_a_discarded_message_is_known_when_it_comes_again(database: Database) -> None:
    failing, message = consumer_of(database, fail, retry=NO_RETRY), order_created()
    await failing.receive(message)
    assert await actions_of(database).discard(DEAD, MessageFilter(), "ada") == 1

    async def would_take(event: Any, mediator: Any) -> None:
        await take_payment(event, mediator)

    would_take.__name__ = "fail"
    mended = consumer_of(database, would_take)
    assert mended.name == failing.name
    await mended.receive(message)
    assert not await mended.retry(message.headers["ce-id"])
    assert await count(database, DISCARDED) == 1
    assert await count_effects(database) == (0, 0)


async def test_retention_deletes_what_was_discarded_long_ago(database: Database) -> None:
    await write(database, DISCARDED, {})
    await write(database, DEAD, {"message_id": "new"})
    await actions_of(database).discard(DEAD, MessageFilter(), "ada")
    retention = Retention(database, WakeUp(), outbox_hours=1, inbox_hours=1)
    assert await retention.delete_once() == 1
    assert await messages_of(database).find("inbox", "new") is not None


async def test_what_is_handled_meanwhile_stays_handled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, RETRYING, {}, {})
    actions = actions_of(database)
    change_these = actions._change_these

    async def handled_in_between(*arguments: Any) -> int:
        async with database.begin() as connection:
            mine = inbox.c.message_id == "m0"
            await connection.execute(update(inbox).where(mine).values(state=HANDLED.name))
        return await change_these(*arguments)

    monkeypatch.setattr(actions, "_change_these", handled_in_between)
    assert await actions.discard(RETRYING, MessageFilter(), "ada") == 1
    async with database.reader.connect() as connection:
        states = await connection.execute(select(inbox.c.message_id, inbox.c.state))
        assert {row.message_id: row.state for row in states} == {"m0": "handled", "m1": "discarded"}
