"""The command line shows what is in outbox and inbox, to people and to machines."""

import json
from typing import Any

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.states import STATES
from tests.command_line.conftest import Command
from tests.operations.rows import DEAD, HANDLED, PUBLISHED, write


@pytest.mark.parametrize("box", ["outbox", "inbox"])
async def test_status_shows_each_state(database: Database, command: Command, box: str) -> None:
    of_box = [state for state in STATES if state.box == box]
    await write(database, of_box[1], {}, {})
    ended = await command(box, "status")
    head, *lines = [line.split() for line in ended.out.splitlines()]
    assert (ended.code, head) == (0, ["state", "messages", "oldest"])
    assert [line[:2] for line in lines] == [
        [state.name, "2" if state is of_box[1] else "0"] for state in of_box
    ]


@pytest.mark.parametrize("box", ["outbox", "inbox"])
async def test_status_for_machines(database: Database, command: Command, box: str) -> None:
    of_box = [state for state in STATES if state.box == box]
    await write(database, of_box[0], {})
    ended = await command(box, "status", "--json")
    first, *others = ended.document["states"]
    assert (ended.code, ended.document["box"]) == (0, box)
    assert (first["state"], first["rows"], first["is_more"]) == (of_box[0].name, 1, False)
    assert first["oldest_seconds"] > 0
    assert [one["state"] for one in others] == [state.name for state in of_box[1:]]
    assert {one["oldest_seconds"] for one in others} == {None}


async def test_show_tells_everything_about_a_message(database: Database, command: Command) -> None:
    row: dict[str, Any] = {"message_id": "m1", "correlation_id": "c1"}
    headers = {"correlation-id": "c1", "ce-type": "tests.happened.v1"}
    await write(database, PUBLISHED, {**row, "headers": headers})
    await write(database, DEAD, {**row, "headers": headers, "last_error": "ValueError: no",
                                 "payload": '{"amount": 7}'})  # fmt: skip
    ended = await command("inbox", "show", "m1")
    assert ended.code == 0
    for part in ("ValueError: no", "svc.tests.one", '"amount": 7', "ce-type", "Same request"):
        assert part in ended.out
    document = (await command("inbox", "show", "m1", "--json")).document
    assert [one["last_error"] for one in document["messages"]] == ["ValueError: no"]
    assert [(one["box"], one["state"]) for one in document["chain"]] == [
        ("outbox", "published"), ("inbox", "dead"),
    ]  # fmt: skip


async def test_show_of_one_consumer(database: Database, command: Command) -> None:
    await write(database, HANDLED, {}, {"message_id": "m0", "consumer": "svc.tests.two"})
    both = (await command("inbox", "show", "m0", "--json")).document
    one = await command("inbox", "show", "m0", "--consumer", "svc.tests.two", "--json")
    assert (len(both["messages"]), len(one.document["messages"])) == (2, 1)


async def test_a_message_that_is_not_there_is_a_sentence(
    database: Database, command: Command
) -> None:
    ended = await command("outbox", "show", "m1", "--json")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "There is no message m1 in the outbox.\n"


async def test_a_payload_cannot_drive_the_terminal(database: Database, command: Command) -> None:
    evil = "\x1b]0;owned\x07\u202e\x9b31m"
    row = {"payload": json.dumps({"name": evil}, ensure_ascii=False).encode(), "key": evil}
    await write(database, DEAD, {**row, "last_error": evil, "headers": {"x": evil}})
    for arguments in (["list", "--state", "dead"], ["show", "m0"]):
        ended = await command("inbox", *arguments)
        assert all(sign.isprintable() or sign == "\n" for sign in ended.out)
