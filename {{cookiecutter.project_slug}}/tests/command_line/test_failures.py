"""What cannot be done is a sentence on stderr and an exit code."""

from pathlib import Path

import pytest

from app.building_blocks.databases.database import Database
from tests.command_line.conftest import Command
from tests.scratch_database import scratch_database
from tests.unreachable import unreachable

BAD: list[tuple[list[str], str]] = [
    (["outbox", "list", "--state", "retrying"], "it has waiting, dead, published."),
    (["inbox", "list", "--state", ""], "it has retrying, dead, handled, discarded."),
    (["outbox", "list", "--since", "yesterday"], "'yesterday' is no time: write 2026-01-31"),
    (["outbox", "list", "--until", "9" * 9 + "d"], "is no time"),
    (["outbox", "list", "--limit", "0"], "--limit"),
    (["outbox", "list", "--after", "nowhere"], "this page begins nowhere: start at the first"),
    (["outbox", "list", "--consumer", "svc"], "a message of the outbox has none."),
    (["outbox", "show"], "message_id"),
    (["outbox", "lst"], "lst"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=[" ".join(one[:4]) for one, _ in BAD])
async def test_wrong_usage_is_told_on_stderr(
    database: Database, command: Command, arguments: list[str], says: str
) -> None:
    ended = await command(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert says.lower() in ended.err.lower()
    assert "Traceback" not in ended.err


LOOK = [["outbox", "status"], ["inbox", "list", "--json"], ["outbox", "show", "m1"],
        ["outbox", "retry", "--all"], ["inbox", "discard", "--all", "--yes"],
        ["inbox", "purge", "--yes"]]  # fmt: skip


@pytest.mark.parametrize("arguments", LOOK, ids=[" ".join(one[:2]) for one in LOOK])
async def test_a_database_that_is_away_is_one_sentence(
    database_url: str, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    arguments: list[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", unreachable(database_url, tmp_path))
    ended = await command(*arguments)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("The database cannot be used: ")
    assert len(ended.err.splitlines()) == 1


async def test_a_database_without_tables_is_one_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with scratch_database(tmp_path) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        ended = await command("inbox", "status")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("The database has not been migrated")
    assert ended.err.endswith("Run: alembic upgrade head\n")


async def test_bad_settings_are_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_MAX_RETRIES", "-1")
    ended = await command("outbox", "status")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Cannot go on: RETRY_MAX_RETRIES='-1' cannot be used: ")
