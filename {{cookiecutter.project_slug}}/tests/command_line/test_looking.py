"""The command line shows what is in outbox and inbox, to people and to machines."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.states import STATES, State
from tests.command_line.conftest import Command
from tests.operations.rows import DEAD, HANDLED, PUBLISHED, REFUSED, WAITING, write
from tests.scratch_database import scratch_database
from tests.unreachable import unreachable

every_state = pytest.mark.parametrize(
    "state", STATES, ids=[f"{state.box}-{state.name}" for state in STATES]
)


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


@every_state
async def test_a_list_shows_the_messages_of_a_state(
    database: Database, command: Command, state: State
) -> None:
    await write(database, state, {"key": "k1"}, {"topic": "other.v1"})
    ended = await command(state.box, "list", "--state", state.name)
    assert ended.code == 0
    head, *lines = ended.out.splitlines()
    assert head.startswith("message id")
    assert {line.split()[0] for line in lines} == {"m0", "m1"}
    assert "Next page" not in ended.out


@every_state
async def test_a_list_for_machines(database: Database, command: Command, state: State) -> None:
    await write(database, state, {"payload": '{"name": "Größe"}'}, {"topic": "other.v1"})
    ended = await command(state.box, "list", "--state", state.name, "--topic", "tests.happened.v1",
                          "--json")  # fmt: skip
    [message] = ended.document["messages"]
    assert message["payload"] == {"name": "Größe"}
    assert (message["message_id"], message["state"]) == ("m0", state.name)
    assert message["since"] == "2026-01-01T00:00:00+00:00"
    assert (ended.document["next"], ended.document["searched_all"]) == (None, True)


FILTERS: list[tuple[list[str], set[str]]] = [
    (["--topic", "other.v1"], {"m1"}),
    (["--key", "k"], {"m2"}),
    (["--consumer", "svc.tests.two"], {"m3"}),
    (["--message-id", "m0"], {"m0"}),
    (["--since", "2026-01-01T00:00:02"], {"m2", "m3"}),
    (["--since", "2026-01-01T01:00:02+01:00"], {"m2", "m3"}),
    (["--until", "2026-01-01T00:00:02"], {"m0", "m1"}),
    (["--since", "1s"], set()),
    (["--until", "1s"], {"m0", "m1", "m2", "m3"}),
    (["--text", "100%"], {"m1"}),
    (["--text", "never"], set()),
    (["--limit", "2"], {"m3", "m2"}),
]


@pytest.mark.parametrize(("options", "fits"), FILTERS, ids=[" ".join(one) for one, _ in FILTERS])
async def test_each_option_of_a_list_is_a_filter(
    database: Database, command: Command, options: list[str], fits: set[str]
) -> None:
    other = {"topic": "other.v1", "payload": '"100%"'}
    await write(database, DEAD, {}, other, {"key": "k"}, {"consumer": "svc.tests.two"})
    ended = await command("inbox", "list", "--state", "dead", *options, "--json")
    assert {one["message_id"] for one in ended.document["messages"]} == fits
    assert ended.code == (0 if fits else 1)


async def test_a_list_says_how_to_get_the_next_page(database: Database, command: Command) -> None:
    await write(database, REFUSED, *({"key": "a b"} for _ in range(5)))
    found: list[str] = []
    arguments = ["outbox", "list", "--state", "dead", "--key", "a b", "--limit", "2", "--json"]
    while True:
        page = (await command(*arguments)).document
        found += [one["message_id"] for one in page["messages"]]
        if page["next"] is None:
            break
        arguments = [*arguments[:9], "--after", page["next"]]
    assert found == ["m4", "m3", "m2", "m1", "m0"]

    ended = await command(*arguments[:8])
    _, _, told = ended.out.partition("Next page:\n")
    assert told.startswith("python -m app outbox list --state dead --key 'a b' --limit 2 --after ")


async def test_a_search_that_ended_early_says_so(
    database: Database, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.building_blocks.operations.search.SEARCHED", 2)
    await write(database, WAITING, *({} for _ in range(4)))
    ended = await command("outbox", "list", "--topic", "rare.v1")
    assert "more may fit further on" in ended.out
    assert "--topic rare.v1 --limit 20 --after " in ended.out
    assert ended.code == 1


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
