"""Integration events are plain JSON: exact after the round trip, or refused at start-up."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model

from app.building_blocks.integration_event import IntegrationEvent, problems_of
from app.building_blocks.money import Money
from app.features.orders.domain import Order

FROZEN = ConfigDict(frozen=True)
TOPIC = "toys.changed.v1"


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Dimension(BaseModel):
    model_config = FROZEN
    unit: str
    lengths: tuple[Decimal, ...]


class Part(BaseModel):
    model_config = FROZEN
    name: str
    dimension: Dimension | None = None


class Tree(BaseModel):
    model_config = FROZEN
    name: str
    branches: list["Tree"] = []


class Mutable(BaseModel):
    name: str


class HoldsMutable(BaseModel):
    model_config = FROZEN
    inner: Mutable


@dataclass(frozen=True)
class DomainType:
    name: str


class ToyIntegrationEvent(IntegrationEvent):
    topic = TOPIC
    key = "name"

    name: str
    parts: tuple[Part, ...] = ()


def event_with(annotation: Any) -> type[IntegrationEvent]:
    """An integration event with the one field `value`."""
    made = create_model("ValueIntegrationEvent", __base__=IntegrationEvent, value=(annotation, ...))
    made.topic = TOPIC
    return made


INDIA = timezone(timedelta(hours=5, minutes=30))

EXACT: list[tuple[Any, Any]] = [
    (str, ""),
    (str, "Zoë 🎲 שלום \\ \" ' \n\t\x00\x7f\u2028"),
    (int, 0),
    (int, 2**53 + 1),
    (int, -(10**40)),
    (float, 0.1 + 0.2),
    (float, 5e-324),
    (float, -0.0),
    (float, math.inf),
    (float, -math.inf),
    (bool, True),
    (bytes, b""),
    (bytes, bytes(range(256))),
    (Decimal, Decimal("12.50")),
    (Decimal, Decimal("0.000")),
    (Decimal, Decimal("-1E+30")),
    (Decimal, Decimal("1234567890123456789012345678901234567890.12345678901234567890")),
    (Money, Decimal("12.50")),
    (UUID, UUID("018f0000-0000-7000-8000-000000000001")),
    (datetime, datetime(2026, 2, 28, 23, 59, 59, 123456, UTC)),
    (datetime, datetime(2026, 2, 28, 23, 59, 59, 1, INDIA)),
    (datetime, datetime(1, 1, 1, 0, 0, 0, 999999)),  # noqa: DTZ001
    (date, date(2026, 2, 28)),
    (time, time(23, 59, 59, 123456)),
    (timedelta, timedelta(days=3, microseconds=1)),
    (timedelta, -timedelta(seconds=1)),
    (str | None, None),
    (Optional[UUID], UUID("018f0000-0000-7000-8000-000000000001")),  # noqa: UP045
    (Union[int, None], 3),  # noqa: UP007
    (Literal["red", "green", 1], "green"),
    (Colour, Colour.RED),
    (Size, Size.SMALL),
    (Annotated[int, Field(ge=0)], 7),
    (list[Decimal], [Decimal("1.0"), Decimal("1.00")]),
    (list[datetime | None], [datetime(2026, 1, 1, tzinfo=UTC), None]),
    (tuple[int, str], (1, "one")),
    (frozenset[int], frozenset({1, 2, 3})),
    (dict[str, list[int]], {"": [], "a": [1, 2]}),
    (dict[UUID, Decimal], {UUID(int=1): Decimal("0.10")}),
    (dict[int, bool], {1: True}),
    (Part, Part(name="wheel", dimension=Dimension(unit="m", lengths=(Decimal("0.10"),)))),
    (list[Part], [Part(name="wheel"), Part(name="axle")]),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value"), EXACT, ids=repr)
def test_a_value_comes_back_exactly_as_it_went(annotation: Any, value: Any) -> None:
    event = event_with(annotation)
    assert problems_of(event) == []
    payload = event(value=value).model_dump_json()
    json.loads(payload, parse_constant=_not_json)
    back = event.model_validate_json(payload.encode()).value  # type: ignore[attr-defined]
    assert (type(back), back) == (type(value), value)
    if "datetime" not in repr(value):
        # Equal is not enough: 1.0 equals 1.00, and -0.0 equals 0.0.
        assert repr(back) == repr(value)
    if isinstance(value, datetime):
        assert (back.utcoffset(), back.microsecond) == (value.utcoffset(), value.microsecond)


def _not_json(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_not_a_number_comes_back_as_it_went() -> None:
    event = event_with(float)
    payload = event(value=math.nan).model_dump_json()
    assert json.loads(payload, parse_constant=_not_json) == {"value": "NaN"}
    assert math.isnan(event.model_validate_json(payload).value)  # type: ignore[attr-defined]


def test_text_that_no_json_can_hold_is_refused_when_the_event_is_written() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        event_with(str)(value="\ud800 is half a character").model_dump_json()


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


def test_a_model_that_holds_itself_is_plain() -> None:
    event = event_with(Tree)
    assert problems_of(event) == []
    value = Tree(name="oak", branches=[Tree(name="left")])
    back = event.model_validate_json(event(value=value).model_dump_json())
    assert back.value == value  # type: ignore[attr-defined]


def test_every_unusable_field_is_named() -> None:
    event = create_model(
        "TwoIntegrationEvent", __base__=IntegrationEvent, first=(Order, ...), second=(Any, ...)
    )
    event.topic = TOPIC
    first, second = problems_of(event)
    assert first.startswith("TwoIntegrationEvent.first is Order: ")
    assert second.startswith("TwoIntegrationEvent.second is ")


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


class Untidy(Enum):
    THING = DomainType("thing")


def test_an_enum_of_more_than_simple_values_is_refused() -> None:
    [problem] = problems_of(event_with(Untidy))
    assert problem.startswith("ValueIntegrationEvent.value is Untidy: ")
