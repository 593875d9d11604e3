"""A list holds what fits its options, and says how to go on."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.states import State
from tests.command_line.conftest import Command
from tests.operations.rows import DEAD, REFUSED, WAITING, write
from tests.operations.walking import every_state


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
