"""An integration event has a topic, a name that says what it is, and no way to change it."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError, create_model

from app.building_blocks.integration_event import IntegrationEvent, problems_of
from app.building_blocks.operations.secret import Secret
from tests.building_blocks.toy_events import TOPIC, Part, event_with


class ToyIntegrationEvent(IntegrationEvent):
    topic = TOPIC
    key = "name"

    name: str
    parts: tuple[Part, ...] = ()


@pytest.mark.parametrize(
    "topic",
    ["", "toys", "toys.changed", "toys.changed.v0", "Toys.changed.v1", "toys..v1", "toys.v1 ",
     "toys.changed.v1\n", "toys/changed.v1", f"{'t' * 198}.v1", None, 1],
)  # fmt: skip
def test_a_topic_that_is_no_topic_is_refused(topic: Any) -> None:
    event = event_with(int)
    event.topic = topic
    [problem] = problems_of(event)
    assert problem.startswith(f"ValueIntegrationEvent.topic is {topic!r}: ")


def test_a_missing_topic_is_refused() -> None:
    event = create_model("BareIntegrationEvent", __base__=IntegrationEvent)
    [problem] = problems_of(event)
    assert problem.startswith("BareIntegrationEvent.topic is None: ")


def test_a_key_that_is_no_field_is_refused() -> None:
    event = event_with(int)
    event.key = "colour"
    assert problems_of(event) == [
        "ValueIntegrationEvent.key names 'colour', which is not a field of it."
    ]


@pytest.mark.parametrize("annotation", [Secret, Secret | None])
def test_a_key_that_is_a_secret_is_refused(annotation: Any) -> None:
    event = event_with(annotation)
    event.key = "value"
    assert problems_of(event) == [
        "ValueIntegrationEvent.key names 'value', a secret: keys are shown."
    ]


def test_a_name_that_hides_what_it_is_is_refused() -> None:
    event = create_model("ToyChanged", __base__=IntegrationEvent)
    event.topic = TOPIC
    assert problems_of(event) == ["ToyChanged: the name of an integration event ends that way."]


def test_the_key_field_orders_the_events() -> None:
    assert ToyIntegrationEvent(name="ball").ordering_key == "ball"
    keyed: type[IntegrationEvent] = event_with(UUID)
    assert keyed(value=UUID(int=1)).ordering_key is None
    keyed.key = "value"
    assert keyed(value=UUID(int=1)).ordering_key == str(UUID(int=1))


def test_an_event_whose_key_field_is_empty_has_no_ordering_key() -> None:
    event = event_with(UUID | None)
    event.key = "value"
    assert event(value=None).ordering_key is None


def test_an_event_cannot_be_changed() -> None:
    event = ToyIntegrationEvent(name="ball", parts=(Part(name="skin"),))
    with pytest.raises(ValidationError, match="frozen"):
        event.name = "cube"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        event.parts[0].name = "air"


def test_a_field_that_a_newer_publisher_added_is_no_mistake() -> None:
    event = ToyIntegrationEvent.model_validate_json('{"name": "ball", "weight": 3}')
    assert event == ToyIntegrationEvent(name="ball")
