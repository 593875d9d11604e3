"""A value comes back from JSON exactly as it went."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from app.building_blocks.integration_event import problems_of
from app.building_blocks.money import Money
from tests.building_blocks.toy_events import FROZEN, Dimension, Part, event_with


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Tree(BaseModel):
    model_config = FROZEN
    name: str
    branches: list["Tree"] = []


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


def test_a_model_that_holds_itself_is_plain() -> None:
    event = event_with(Tree)
    assert problems_of(event) == []
    value = Tree(name="oak", branches=[Tree(name="left")])
    back = event.model_validate_json(event(value=value).model_dump_json())
    assert back.value == value  # type: ignore[attr-defined]
