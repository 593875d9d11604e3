"""What is more than plain JSON is refused at start-up, with the field's name."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, create_model

from app.building_blocks.integration_event import IntegrationEvent, problems_of
from app.features.orders.domain import Order
from tests.building_blocks.toy_events import FROZEN, TOPIC, event_with


class Mutable(BaseModel):
    name: str


class HoldsMutable(BaseModel):
    model_config = FROZEN
    inner: Mutable


@dataclass(frozen=True)
class DomainType:
    name: str


REFUSED: list[tuple[Any, str]] = [
    (Order, "Order"),
    (list[Order], "Order"),
    (Order | None, "Order"),
    (dict[str, list[Order]], "Order"),
    (Mutable, "Mutable"),
    (HoldsMutable, "HoldsMutable"),
    (DomainType, "DomainType"),
    (Any, "Any"),
    (object, "object"),
    (list, "list"),
    (dict, "dict"),
    (dict[str, Any], "Any"),
    (complex, "complex"),
    (SecretStr, "SecretStr"),
]


@pytest.mark.parametrize(("annotation", "culprit"), REFUSED, ids=repr)
def test_what_is_more_than_plain_json_is_refused(annotation: Any, culprit: str) -> None:
    [problem] = problems_of(event_with(annotation))
    assert problem.startswith("ValueIntegrationEvent.value is ")
    assert culprit in problem
    assert "an integration event holds only simple types" in problem


def test_every_unusable_field_is_named() -> None:
    event = create_model(
        "TwoIntegrationEvent", __base__=IntegrationEvent, first=(Order, ...), second=(Any, ...)
    )
    event.topic = TOPIC
    first, second = problems_of(event)
    assert first.startswith("TwoIntegrationEvent.first is Order: ")
    assert second.startswith("TwoIntegrationEvent.second is ")


class Untidy(Enum):
    THING = DomainType("thing")


def test_an_enum_of_more_than_simple_values_is_refused() -> None:
    [problem] = problems_of(event_with(Untidy))
    assert problem.startswith("ValueIntegrationEvent.value is Untidy: ")
