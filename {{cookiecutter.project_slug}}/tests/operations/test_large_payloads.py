"""Megabytes in a message are read where they show, and not for a list of many."""

import tracemalloc
from collections.abc import Awaitable
from typing import Any

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import State
from tests.operations.rows import DEAD, PUBLISHED, REFUSED, ids, messages_of, write

MEBIBYTE = 1 << 20
ROWS = 12


async def memory_of(work: Awaitable[Any]) -> int:
    """The most bytes that `work` held at once."""
    tracemalloc.start()
    try:
        await work
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("state", [REFUSED, PUBLISHED, DEAD], ids=lambda state: state.box)
async def test_a_list_and_a_chain_take_little_memory(database: Database, state: State) -> None:
    messages, payload = messages_of(database), f'"{"x" * MEBIBYTE}"'
    for number in range(ROWS):
        row = {"message_id": f"m{number}", "payload": payload, "correlation_id": "c"}
        await write(database, state, row)
    page = await messages.page(state, MessageFilter())
    assert len(page.messages) == ROWS
    assert await memory_of(messages.page(state, MessageFilter())) < 2 * MEBIBYTE
    assert await memory_of(messages.chain("c")) < 2 * MEBIBYTE
    found = await messages.find(state.box, "m0")
    assert found is not None
    assert len(found.payload or "") > MEBIBYTE


async def test_machines_get_payloads_when_they_ask(database: Database) -> None:
    await write(database, DEAD, {"payload": '{"a": 1}'})
    without = await messages_of(database).page(DEAD, MessageFilter())
    page = await messages_of(database).page(DEAD, MessageFilter(), payloads=True)
    assert ids(page.messages) == ids(without.messages) == ["m0"]
    assert page.messages[0].payload == '{\n  "a": 1\n}'
    assert without.messages[0].payload is None
