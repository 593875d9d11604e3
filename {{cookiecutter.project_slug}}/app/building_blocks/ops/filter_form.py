"""The filter of a list, as a form and its link carry it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import State, state_of
from app.building_blocks.ops.visit import RefusedError

FIELDS = ("message_id", "consumer", "topic", "key", "since", "until", "text")
_LONGEST = 512


class FilterForm(NamedTuple):
    """`values` are those that are filled in, as they were written; `hidden` see MessageFilter."""

    values: Mapping[str, str]
    hidden: tuple[str, ...]

    @classmethod
    def read(cls, given: Mapping[str, str], hidden: tuple[str, ...]) -> "FilterForm":
        """Those fields of `given` that belong to a filter. Raises RefusedError."""
        values = {name: given[name] for name in FIELDS if given.get(name)}
        for name, value in values.items():
            if len(value) > _LONGEST or not value.isprintable():
                raise _refused(f"{name} must be printable, {_LONGEST} characters at most.")
        return cls(values, hidden)

    @property
    def wanted(self) -> MessageFilter:
        """Raises RefusedError for what is no time."""
        get = self.values.get
        return MessageFilter(
            message_id=get("message_id"),
            consumer=get("consumer"),
            topic=get("topic"),
            key=get("key"),
            since=_time("since", get("since")),
            until=_time("until", get("until")),
            text=get("text"),
            hidden=self.hidden,
        )


def known_state(box: str, name: str) -> State:
    """Raises RefusedError."""
    try:
        return state_of(box, name)
    except KeyError:
        says = f"There is no state {name!r} of messages in {box!r}."
        raise RefusedError(HTTPStatus.NOT_FOUND, says) from None


def _time(name: str, written: str | None) -> datetime | None:
    if written is None:
        return None
    try:
        time = datetime.fromisoformat(written.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(f"{name} is {written!r}: write a time such as 2030-12-31T23:59.") from None


def _refused(says: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, says)
