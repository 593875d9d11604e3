"""An operator tries again or discards what is meant, each message once, and it is noted."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.operations import actions as machinery
from app.building_blocks.operations.actions import Actions
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import STATES, State
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.retention import Retention
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.consuming import consumer_of, count_effects, order_created, take_payment
from tests.operations.rows import (
    DEAD,
    DISCARDED,
    HANDLED,
    REFUSED,
    RETRYING,
    WAITING,
    count,
    messages_of,
    write,
)

OPEN = pytest.mark.parametrize(
    "state",
    [state for state in STATES if state.is_open],
    ids=[f"{state.box}-{state.name}" for state in STATES if state.is_open],
)
Act = Callable[[State, MessageFilter, str], Coroutine[Any, Any, int]]


def actions_of(database: Database) -> Actions:
    return Actions(database, WakeUp(), WakeUp())


@OPEN
@pytest.mark.parametrize("action", ["retry", "discard"])
async def test_one_message_is_changed_and_no_other(
    database: Database, state: State, action: str
) -> None:
    await write(database, state, {}, {}, {})
    act: Act = getattr(actions_of(database), action)
    assert await act(state, MessageFilter(message_id="m1"), "ada") == 1
    assert await act(state, MessageFilter(message_id="m9"), "ada") == 0
    left = await messages_of(database).find(state.box, "m1")
    if action == "retry":
        after = {"outbox": "waiting", "inbox": "retrying"}[state.box]
        assert left is not None
        assert (left.state, left.attempts, left.settled_at) == (after, 0, None)
    elif state.box == "outbox":
        assert left is None
    else:
        assert left is not None
        assert left.state == "discarded"
    for other in ("m0", "m2"):
        untouched = await messages_of(database).find(state.box, other)
        assert untouched is not None
        assert untouched.state == state.name


@OPEN
@pytest.mark.parametrize("action", ["retry", "discard"])
@pytest.mark.parametrize("at_once", [1, 2, 500])
async def test_all_that_fit_are_changed_however_many_steps_it_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch, state: State, action: str, at_once: int
) -> None:
    monkeypatch.setattr(machinery, "_AT_ONCE", at_once)
    monkeypatch.setattr("app.building_blocks.operations.search.SEARCHED", 3)
    monkeypatch.setattr(machinery, "SEARCHED", 2)
    rows: list[dict[str, Any]] = [{"topic": f"t{number % 2}.v1"} for number in range(10)]
    await write(database, state, *rows)
    act: Act = getattr(actions_of(database), action)
    assert await act(state, MessageFilter(topic="t1.v1"), "ada") == 5
    assert await act(state, MessageFilter(), "ada") == (
        5 if action == "discard" or state in (REFUSED, DEAD) else 10
    )


@pytest.mark.parametrize("action", ["retry", "discard"])
@pytest.mark.parametrize("state", [REFUSED, DEAD], ids=["outbox", "inbox"])
async def test_of_many_who_press_at_once_each_message_is_changed_by_one(
    database: Database, monkeypatch: pytest.MonkeyPatch, state: State, action: str
) -> None:
    monkeypatch.setattr(machinery, "_AT_ONCE", 3)
    await write(database, state, *({} for _ in range(20)))
    act: Act = getattr(actions_of(database), action)
    changed = await asyncio.gather(*(act(state, MessageFilter(), "ada") for _ in range(5)))
    assert sum(changed) == 20
    assert await count(database, state) == 0


async def test_each_consumer_of_a_message_is_chosen_for_itself(database: Database) -> None:
    await write(database, DEAD, {}, {"message_id": "m0", "consumer": "svc.tests.two"})
    wanted = MessageFilter(message_id="m0", consumer="svc.tests.two")
    assert await actions_of(database).discard(DEAD, wanted, "ada") == 1
    kept = await messages_of(database).find("inbox", "m0", "svc.tests.one")
    assert kept is not None
    assert kept.state == "dead"


async def test_a_filter_that_a_message_cannot_fit_changes_none(database: Database) -> None:
    await write(database, REFUSED, {}, {})
    actions = actions_of(database)
    for wanted in (MessageFilter(consumer="svc.tests.one"), MessageFilter(key="\ud800")):
        assert not wanted.is_empty
        assert await actions.discard(REFUSED, wanted, "ada") == 0
    assert MessageFilter(text="").is_empty
    assert await count(database, REFUSED) == 2


@pytest.mark.parametrize("action", ["retry", "discard"])
async def test_what_is_over_is_not_changed(database: Database, action: str) -> None:
    act: Act = getattr(actions_of(database), action)
    for state in STATES:
        if not state.is_open:
            with pytest.raises(ValueError, match="is done already"):
                await act(state, MessageFilter(), "ada")


async def test_what_a_publisher_holds_is_not_discarded(database: Database) -> None:
    await write(database, WAITING, {"payload": "held"}, {"payload": "free"})
    [held] = await Claims(database).claim(1)
    actions = actions_of(database)
    assert await actions.discard(WAITING, MessageFilter(message_id=held.message_id), "ada") == 0
    assert await actions.discard(WAITING, MessageFilter(), "ada") == 1
    assert await Claims(database).mark_published([held]) == 1


async def test_a_claim_that_is_over_keeps_nobody_from_discarding(database: Database) -> None:
    await write(database, WAITING, {})
    await Claims(database, lease=-1.0).claim(1)
    assert await actions_of(database).discard(WAITING, MessageFilter(), "ada") == 1


async def fail(event: Any, mediator: Any) -> None:
    raise ValueError("always")


async def test_a_discarded_message_is_known_when_it_comes_again(database: Database) -> None:
    no_retry = RetryPolicy(max_retries=0)
    failing, message = consumer_of(database, fail, retry=no_retry), order_created()
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


async def test_what_is_tried_again_comes_in_the_order_in_which_it_came(database: Database) -> None:
    await write(database, DEAD, *({} for _ in range(4)))
    await actions_of(database).retry(DEAD, MessageFilter(), "ada")
    page = await messages_of(database).page(RETRYING, MessageFilter())
    assert [one.message_id for one in page.messages] == ["m0", "m1", "m2", "m3"]


@pytest.mark.parametrize(("state", "woken"), [(REFUSED, 0), (DEAD, 1)], ids=["outbox", "inbox"])
async def test_whoever_does_the_work_is_woken(database: Database, state: State, woken: int) -> None:
    await write(database, state, {})
    wake_ups = [WakeUp(), WakeUp()]
    await Actions(database, *wake_ups).retry(state, MessageFilter(), "ada")
    async with asyncio.timeout(5):
        await wake_ups[woken].sleep(60)


@pytest.mark.parametrize("action", ["retry", "discard"])
async def test_the_log_says_who_did_what_to_which_messages(database: Database, action: str) -> None:
    await write(database, DEAD, {}, {"topic": "other.v1"})
    act: Act = getattr(actions_of(database), action)
    with capture_logs() as logs:
        await act(DEAD, MessageFilter(topic="other.v1", hidden=("a.v1",)), "ada")
    what = {"retry": "messages retried", "discard": "messages discarded"}[action]
    assert logs == [
        {
            "event": what, "log_level": "info", "by": "ada", "box": "inbox", "state": "dead",
            "messages": 1, "filter": {"topic": "other.v1"},
        }
    ]  # fmt: skip


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
