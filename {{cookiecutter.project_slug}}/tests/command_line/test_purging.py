"""`purge` deletes for good: the log says who did it, and no duration ends in a stack trace."""

import json

import pytest

from app.building_blocks.databases.database import Database
from tests.command_line.conftest import Command
from tests.operations.rows import HANDLED, count, write

FOREVER = "999999999d"


async def test_who_purged_is_in_the_log(
    database: Database, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    await write(database, HANDLED, {}, {"message_id": "m1"})
    ended = await command("inbox", "purge", "--older-than", "1h", "--yes")
    [line] = [json.loads(line) for line in ended.err.splitlines()]
    told = (line["event"], line["logger"], line["box"], line["messages"], line["older_than"])
    assert told == ("messages purged", "app.audit", "inbox", 2, "1:00:00")
    assert line["by"].startswith("command line, ")


@pytest.mark.parametrize("box", ["outbox", "inbox"])
@pytest.mark.parametrize("answer", [("--yes",), ()])
async def test_longer_than_there_has_been_time_is_told(
    database: Database, command: Command, at_a_terminal: None, box: str, answer: tuple[str, ...]
) -> None:
    await write(database, HANDLED, {})
    ended = await command(box, "purge", "--older-than", FOREVER, *answer)
    assert (ended.code, ended.out) == (2, "")
    assert "is longer than there has been time." in ended.err
    assert await count(database, HANDLED) == 1
