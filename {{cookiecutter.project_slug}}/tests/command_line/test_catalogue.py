"""What the service tells of itself without a database: its events and its flow."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.building_blocks.command_line.catalogue import catalogue_of
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.operations.secret import Secret
from app.building_blocks.operations.states import STATES
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from tests.command_line.conftest import Command
from tests.conftest import PROJECT

COMMANDS = [
    (), ("outbox",), ("inbox",), ("events",), ("flow",), ("asyncapi",), ("publisher", "run"),
    *((box, name) for box in ("outbox", "inbox")
      for name in ("status", "list", "show", "retry", "discard", "purge")),
]  # fmt: skip


async def test_the_catalogue_for_people_names_every_event(command: Command) -> None:
    ended = await command("events")
    assert ended.code == 0
    for event in catalogue_of(Wiring(FEATURES)):
        assert event.topic in ended.out
        assert event.event in ended.out


async def test_the_catalogue_for_machines_says_who_publishes_and_handles(command: Command) -> None:
    events = {
        event["topic"]: event for event in (await command("events", "--json")).document["events"]
    }
    assert list(events) == sorted(events)
    created = events["orders.order-created.v1"]
    assert (created["event"], created["key"]) == ("OrderCreatedIntegrationEvent", "order_id")
    assert created["about"] == "Somebody ordered something and has not paid yet."
    assert created["published_by"] == ["orders"]
    assert "payments.when_order_created" in created["handled_by"]
    assert {"name": "customer", "type": "str", "is_required": True, "is_secret": False} in (
        created["fields"]
    )


def test_what_is_secret_or_optional_is_marked() -> None:
    class SignedIntegrationEvent(IntegrationEvent):
        topic = "tests.signed.v1"

        password: Secret
        note: str | None = None

    async def when_signed(event: object, mediator: object) -> None: ...

    feature = Feature("tests")
    feature.subscribe(SignedIntegrationEvent, when_signed)
    [event] = catalogue_of(Wiring([feature]))
    assert (event.published_by, event.handled_by) == ((), ("tests.when_signed",))
    assert [(one.name, one.type, one.is_required, one.is_secret) for one in event.fields] == [
        ("password", "SecretStr", True, True), ("note", "str | None", False, False),
    ]  # fmt: skip


async def test_the_flow_goes_to_stdout_or_to_a_file(command: Command, tmp_path: Path) -> None:
    told = await command("flow")
    assert told.code == 0
    assert told.out.startswith("# The flow of test-service\n")
    assert "```mermaid\nflowchart LR\n" in told.out
    written = await command("flow", "--output", str(tmp_path / "flow.md"))
    assert (written.code, written.out) == (0, "")
    assert (tmp_path / "flow.md").read_text("utf-8") == told.out


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
async def test_the_help_of_each_command_teaches(command: Command, words: tuple[str, ...]) -> None:
    ended = await command(*words, "--help")
    assert (ended.code, ended.err) == (0, "")
    if words not in ((), ("outbox",), ("inbox",)):
        assert re.search(rf"^  python -m app {' '.join(words)}\b", ended.out, re.MULTILINE)


async def test_the_exit_codes_and_the_states_are_in_the_help(command: Command) -> None:
    told = " ".join((await command("--help")).out.split())
    assert (
        "Exit codes: 0 done, 1 nothing found or refused, 2 wrong usage or settings, 3 the" in told
    )
    for state in STATES:
        assert state.name in (await command(state.box, "list", "--help")).out


def test_a_process_of_its_own_has_logs_on_stderr_and_json_on_stdout(
    environment: None, database_url: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app", "outbox", "retry", "--all", "--json"],
        cwd=PROJECT, env={**os.environ, "LOG_LEVEL": "DEBUG"}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert json.loads(ended.stdout)["action"] == "retry"
    assert "messages retried" in ended.stderr
    assert "\x1b" not in ended.stdout
