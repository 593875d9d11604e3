"""An operator tries again or discards what is meant, each message once, and it is noted."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.building_blocks.databases.database import Database
from app.building_blocks.operations import actions as machinery
from app.building_blocks.operations.actions import Actions
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import STATES, State
from app.building_blocks.wake_up import WakeUp
from tests.operations.rows import DEAD, REFUSED, RETRYING, actions_of, count, messages_of, write

OPEN = pytest.mark.parametrize(
    "state",
    [state for state in STATES if state.is_open],
    ids=[f"{state.box}-{state.name}" for state in STATES if state.is_open],
)
Act = Callable[[State, MessageFilter, str], Coroutine[Any, Any, int]]


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
