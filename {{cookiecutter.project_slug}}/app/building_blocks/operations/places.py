"""Places in the listing of a state: where a page begins, and where it ends."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, literal, not_, or_, tuple_

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.operations.states import State
from app.building_blocks.operations.times import in_utc
from app.building_blocks.outbox.table import outbox
from app.building_blocks.text import storable

Place = tuple[Any, ...]
"""The values of a row in the columns of `State.order`."""

_LARGEST_NUMBER = 2**63 - 1


def place_of(state: State, row: Any) -> Place:
    return tuple(getattr(row, column.name) for column in state.order)


def behind(dialect: Dialect, state: State, place: Place) -> ColumnElement[bool]:
    """Listed after `place`."""
    return and_(*_bounds(dialect, state, place, later=True), _further(state, place))


def from_place(dialect: Dialect, state: State, place: Place) -> ColumnElement[bool]:
    """Listed after `place`, there, or at the same time as it."""
    return and_(*_bounds(dialect, state, place, later=True))


def up_to(dialect: Dialect, state: State, place: Place) -> ColumnElement[bool]:
    """Listed before `place`, or there."""
    return and_(*_bounds(dialect, state, place, later=False), not_(_further(state, place)))


def _bounds(
    dialect: Dialect, state: State, place: Place, *, later: bool
) -> list[ColumnElement[bool]]:
    """For the indexes, which a search by alternatives would not use."""
    sides: list[tuple[Any, Any]] = [(state.order[0], place[0])]
    if state.is_range(dialect):
        # Only both together are a bound.
        sides.append((tuple_(outbox.c.state, sides[0][0]), tuple_(literal(state.name), place[0])))
    is_upwards = later != state.descending
    return [here >= there if is_upwards else here <= there for here, there in sides]


def _further(state: State, place: Place) -> ColumnElement[bool]:
    steps: list[ColumnElement[bool]] = []
    for at, (column, value) in enumerate(zip(state.order, place, strict=True)):
        same = [c == v for c, v in zip(state.order[:at], place[:at], strict=True)]
        steps.append(and_(*same, column < value if state.descending else column > value))
    return or_(*steps)


def as_cursor(place: Place) -> str:
    """Text that holds it, for a link or a command line."""
    parts = [_text(part) if isinstance(part, datetime) else part for part in place]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def from_cursor(state: State, cursor: str) -> Place:
    """Raises ValueError for what no page of this state ended with."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return _checked(state.order, parts)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError("this page begins nowhere: start at the first") from error


def _checked(order: Sequence[Column[Any]], parts: Any) -> Place:
    if not isinstance(parts, list):
        raise TypeError(parts)
    return tuple(_value(column, part) for column, part in zip(order, parts, strict=True))


def _value(column: Column[Any], part: Any) -> Any:
    kind = column.type.python_type
    if kind is datetime:
        return in_utc(datetime.fromisoformat(part))
    if type(part) is not kind:
        raise TypeError(part)
    if isinstance(part, int) and not 0 <= part <= _LARGEST_NUMBER:
        raise ValueError(part)
    if isinstance(part, str) and storable(part) != part:
        raise ValueError(part)
    return part


def _text(time: datetime) -> str:
    there = in_utc(time)
    return "" if there is None else there.isoformat()
