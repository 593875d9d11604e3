"""The pages of a state hold each message once, whatever comes meanwhile."""

import base64
import json
from typing import Any

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.states import State
from tests.operations.rows import DEAD, WAITING, at, ids, messages_of, write
from tests.operations.walking import EVERYTHING, every_state, walk


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
