"""Every document for machines is JSON as all languages read it, and the same each time."""

import json
from typing import Any

import pytest

from app.building_blocks.command_line.catalogue import catalogue_of
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.operations.secret import Secret
from app.building_blocks.wiring import Wiring
from tests.command_line.conftest import Command
from tests.operations.rows import DEAD, write


def strictly(text: str) -> Any:
    """Raises ValueError for what is JSON in Python only."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("payload", ['{"n": NaN}', "1e999", "[-Infinity]", "no json", ""])
async def test_a_payload_that_json_has_not_is_a_text(
    database: Database, command: Command, payload: str
) -> None:
    await write(database, DEAD, {"payload": payload})
    listed = strictly((await command("inbox", "list", "--state", "dead", "--json")).out)
    shown = strictly((await command("inbox", "show", "m0", "--json")).out)
    for [message] in (listed["messages"], shown["messages"]):
        assert isinstance(message["payload"], str)
    assert await command("inbox", "show", "m0")


async def test_a_message_whose_correlation_id_cannot_be_one_shows(
    database: Database, command: Command
) -> None:
    await write(database, DEAD, {"headers": {"correlation-id": "a\0b"}, "correlation_id": "m0"})
    ended = await command("inbox", "show", "m0", "--json")
    assert ended.code == 0
    assert [one["message_id"] for one in ended.document["chain"]] == ["m0"]


def test_types_of_events_read_as_they_were_written() -> None:
    class TypedIntegrationEvent(IntegrationEvent):
        topic = "tests.typed.v1"

        pins: dict[str, Secret]
        pair: tuple[Secret, ...] | None = None

    async def when_typed(event: object, mediator: object) -> None: ...

    feature = Feature("tests")
    feature.subscribe(TypedIntegrationEvent, when_typed)
    [event] = catalogue_of(Wiring([feature]))
    types = [field.type for field in event.fields]
    assert types == ["dict[str, SecretStr]", "tuple[SecretStr, ...] | None"]
