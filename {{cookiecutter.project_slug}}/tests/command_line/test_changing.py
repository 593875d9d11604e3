"""The command line changes what is meant, asks before it destroys, and says what it did."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.states import State
from tests.command_line.conftest import Command
from tests.operations.rows import (
    DEAD,
    DISCARDED,
    HANDLED,
    PUBLISHED,
    REFUSED,
    RETRYING,
    WAITING,
    count,
    write,
)

dead_of_each_box = pytest.mark.parametrize("state", [REFUSED, DEAD], ids=["outbox", "inbox"])


@dead_of_each_box
async def test_retry_tries_what_fits_again(
    database: Database, command: Command, state: State
) -> None:
    await write(database, state, {}, {"topic": "other.v1"}, {})
    ended = await command(state.box, "retry", "--topic", "tests.happened.v1")
    assert (ended.code, ended.out) == (0, "2 messages tried again.\n")
    assert await count(database, WAITING if state is REFUSED else RETRYING) == 2
    again = await command(state.box, "retry", "--all", "--json")
    assert again.document == {
        "box": state.box, "state": "dead", "action": "retry", "messages": 1,
    }  # fmt: skip


@dead_of_each_box
async def test_retry_of_nothing_ends_with_1(
    database: Database, command: Command, state: State
) -> None:
    ended = await command(state.box, "retry", "--message-id", "m1")
    assert (ended.code, ended.out) == (1, "0 messages tried again.\n")


@dead_of_each_box
@pytest.mark.parametrize("action", ["retry", "discard"])
@pytest.mark.parametrize("options", [[], ["--all", "--topic", "t.v1"], ["--text", ""]])
async def test_all_has_to_be_said_and_only_then(
    database: Database, command: Command, state: State, action: str, options: list[str]
) -> None:
    await write(database, state, {})
    ended = await command(state.box, action, *options, *(["--yes"] if action == "discard" else []))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "Say which messages: with a filter, or all of them with --all.\n"
    assert await count(database, state) == 1


@pytest.mark.parametrize("action", ["retry", "discard"])
@pytest.mark.parametrize("state", [PUBLISHED, HANDLED, DISCARDED], ids=lambda state: state.name)
async def test_what_is_over_is_refused(
    database: Database, command: Command, state: State, action: str
) -> None:
    ended = await command(state.box, action, "--state", state.name, "--all")
    assert (ended.code, ended.out) == (1, "")
    assert "is done: nothing is left." in ended.err


@dead_of_each_box
async def test_discard_asks_and_takes_no_for_an_answer(
    database: Database, command: Command, at_a_terminal: None, state: State
) -> None:
    await write(database, state, {}, {})
    ended = await command(state.box, "discard", "--all", answer="n\n")
    assert (ended.code, ended.out) == (1, "")
    assert f"Discard 2 dead messages of the {state.box} for good? [y/N]" in ended.err
    assert ended.err.endswith("Nothing was changed.\n")
    assert await count(database, state) == 2


@dead_of_each_box
async def test_discard_takes_yes_for_an_answer(
    database: Database, command: Command, at_a_terminal: None, state: State
) -> None:
    await write(database, state, {}, {})
    ended = await command(state.box, "discard", "--message-id", "m0", "--json", answer="y\n")
    assert (ended.code, ended.document["messages"]) == (0, 1)
    assert await count(database, state) == 1


@dead_of_each_box
async def test_discard_of_nothing_does_not_ask(
    database: Database, command: Command, at_a_terminal: None, state: State
) -> None:
    ended = await command(state.box, "discard", "--all")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "No message fits: nothing was changed.\n"


@pytest.mark.parametrize("arguments", [["discard", "--all"], ["purge"]], ids=["discard", "purge"])
@dead_of_each_box
async def test_without_a_terminal_nothing_is_destroyed_unless_yes_is_said(
    database: Database, command: Command, state: State, arguments: list[str]
) -> None:
    over = PUBLISHED if state is REFUSED else HANDLED
    await write(database, state, {})
    await write(database, over, {"message_id": "old"})
    refused = await command(state.box, *arguments, answer="y\n")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "Nothing was changed: there is no terminal to ask at. Say --yes to go on.\n"
    )
    assert (await count(database, state), await count(database, over)) == (1, 1)
    assert (await command(state.box, *arguments, "--yes")).code == 0
    assert await count(database, state) + await count(database, over) == 1


async def test_who_did_it_is_in_the_log_on_stderr(database: Database, command: Command) -> None:
    await write(database, DEAD, {})
    ended = await command("inbox", "discard", "--message-id", "m0", "--yes", "--json")
    assert ended.document["messages"] == 1
    assert "messages discarded" in ended.err
    assert "command line, " in ended.err


@pytest.mark.parametrize("box", ["outbox", "inbox"])
async def test_purge_deletes_what_is_old_and_over(
    database: Database, command: Command, at_a_terminal: None, box: str
) -> None:
    over, open_ = (PUBLISHED, REFUSED) if box == "outbox" else (HANDLED, DEAD)
    async with database.reader.connect() as connection:
        now = await database.now(connection)
    new = {"published_at" if box == "outbox" else "handled_at": now}
    await write(database, over, {}, {}, {"message_id": "new", **new})
    await write(database, open_, {"message_id": "dead"})
    if box == "inbox":
        await write(database, DISCARDED, {"message_id": "discarded"})
    old = 2 if box == "outbox" else 3
    asked = await command(box, "purge", "--older-than", "90m", answer="n\n")
    assert f"Delete {old} " in asked.err
    ended = await command(box, "purge", "--older-than", "90m", "--json", answer="y\n")
    assert (ended.code, ended.document) == (0, {"box": box, "deleted": old})
    assert (await count(database, over), await count(database, open_)) == (1, 1)
    again = await command(box, "purge", "--yes")
    assert (again.code, again.out) == (1, "0 deleted.\n")


async def test_purge_of_the_inbox_says_what_it_risks(
    database: Database, command: Command, at_a_terminal: None
) -> None:
    await write(database, HANDLED, {})
    ended = await command("inbox", "purge", answer="n\n")
    assert "A duplicate of what is deleted that still arrives takes effect again." in ended.err


@pytest.mark.parametrize("value", ["yesterday", "-1h", "1", "", "nan", "1w"])
async def test_a_bad_duration_is_told(command: Command, value: str) -> None:
    ended = await command("outbox", "purge", "--older-than", value, "--yes")
    assert (ended.code, ended.out) == (2, "")
    assert "is no duration: write 90s, 15m, 24h or 7d." in ended.err
