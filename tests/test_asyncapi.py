"""The AsyncAPI document of a baked service, judged by AsyncAPI's own parser."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from another_language import asyncapi_findings
from bakery import BROKERS
from conftest import Baked
from service import check, environment, run

ERROR, WARNING = 0, 1
# An event with all that plain JSON allows: a nested model, an enum, what may be missing, lists.
RICH_EVENT = '''
import json
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from pydantic import BaseModel, ConfigDict
from app.building_blocks.asyncapi import AsyncApi
from app.building_blocks.brokers.adapter import Binding
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.wiring import Wiring

class Size(StrEnum):
    SMALL = "small"

class Line(BaseModel):
    model_config = ConfigDict(frozen=True)
    size: Size | None = None
    price: Decimal

class ShippedIntegrationEvent(IntegrationEvent):
    """Left the house."""
    topic = "tests.shipped.v1"
    key = "order"
    order: UUID
    at: datetime
    lines: list[Line]
    notes: dict[str, str] = {}

async def when_shipped(event: ShippedIntegrationEvent, mediator: object) -> None: ...

feature = Feature("tests")
feature.subscribe(ShippedIntegrationEvent, when_shipped)
contract = AsyncApi("shop", "memory://", Binding("memory", "ce-", "memory"))
print(json.dumps(contract.document(Wiring([feature]))))
'''


@pytest.mark.parametrize("broker", BROKERS)
def test_the_document_that_the_command_writes_is_valid(
    broker: str, baked: Baked, tmp_path: Path
) -> None:
    service, file = baked("sqlite", broker), tmp_path / "asyncapi.json"
    written = check(service, "app", "asyncapi")
    check(service, "app", "asyncapi", "--output", str(file))
    assert file.read_text("utf-8") == written
    document = json.loads(written)
    assert ("servers" in document) == (broker != "memory")
    assert "guest" not in written
    assert_valid(written)


def test_events_with_nested_models_are_valid_too(baked: Baked) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RICH_EVENT],
        cwd=baked("sqlite", "memory"),
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"Line"' in done.stdout
    assert_valid(done.stdout)


def test_the_parser_would_find_a_mistake() -> None:
    found = asyncapi_findings('{"asyncapi": "3.0.0", "info": {"title": "no version"}}')
    assert not found["valid"]


def test_the_command_teaches_and_tells_what_is_wrong(baked: Baked, tmp_path: Path) -> None:
    service = baked("sqlite", "memory")
    assert "asyncapi" in check(service, "app", "--help")
    assert "--output" in check(service, "app", "asyncapi", "--help")
    wrong = run(service, "app", "asyncapi", BROKER_URL="zeromq://somewhere")
    assert wrong.returncode == 2
    assert "BROKER_URL starts with zeromq://" in wrong.stdout
    assert "Traceback" not in wrong.stdout
    nowhere = run(service, "app", "asyncapi", "--output", str(tmp_path / "no folder" / "file"))
    assert nowhere.returncode != 0
    assert "Could not open file" in nowhere.stdout
    assert "Traceback" not in nowhere.stdout


def assert_valid(document: str) -> None:
    """No error and no warning; a hint at a newer version of AsyncAPI is fine."""
    found = asyncapi_findings(document)
    assert found["valid"], found
    assert not [one for one in found["findings"] if one["severity"] in (ERROR, WARNING)]
