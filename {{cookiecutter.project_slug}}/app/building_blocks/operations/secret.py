"""Keeps secret what an integration event marks as secret, wherever operators look."""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer, SecretStr

from app.building_blocks.integration_event import IntegrationEvent

HIDDEN = "••••••"

Secret = Annotated[
    SecretStr, PlainSerializer(SecretStr.get_secret_value, return_type=str, when_used="json")
]
"""A field that travels in the event's JSON, and shows in no log, page or error message."""


class Secrets:
    """Knows the secret fields of every event that this service publishes or handles."""

    def __init__(self, events: Iterable[type[IntegrationEvent]]) -> None:
        self._models = {event.topic: event for event in events}
        self.topics = tuple(
            sorted(topic for topic, event in self._models.items() if has_secret(event))
        )

    def shown(self, topic: str, payload: str | bytes) -> str:
        """The payload as JSON on several lines, its secrets hidden.

        What is no JSON shows as it came, unless its topic has secrets.
        """
        text = payload.decode(errors="replace") if isinstance(payload, bytes) else payload
        try:
            value = json.loads(text)
            if topic in self.topics:
                value = _masked(value, self._models[topic])
            return json.dumps(value, indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            # Also what is nested too deep, which must not hide the messages beside it.
            return HIDDEN if topic in self.topics else text

    def kept_out_of(self, text: str, topic: str, payload: str | bytes) -> str:
        """`text`, such as an error that came of the payload, without what is secret in that."""
        if topic not in self.topics:
            return text
        try:
            value = json.loads(payload)
            found = set(_lost(value, _masked(value, self._models[topic])))
        except (ValueError, RecursionError):
            # No handler has seen what is in it, so no error can tell.
            return text
        for secret in sorted(found, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text


def has_secret(annotation: Any, within: tuple[type, ...] = ()) -> bool:
    """Whether a value of this type holds something secret, however deep."""
    if annotation is SecretStr:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.values()
        return annotation not in within and any(
            has_secret(field.annotation, (*within, annotation)) for field in fields
        )
    return any(has_secret(argument, within) for argument in get_args(annotation))


def _lost(value: Any, masked: Any) -> Iterator[str]:
    """The texts and numbers of `value` that `masked` does not show."""
    if masked == HIDDEN and not isinstance(value, Mapping | list):
        if value not in (None, "", True, False):
            yield str(value)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _lost(part, HIDDEN if masked == HIDDEN else masked[name])
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _lost(part, HIDDEN if masked == HIDDEN else masked[place])


def _masked(value: Any, annotation: Any) -> Any:
    """`value` without what `annotation` says is secret; what fits nothing is hidden."""
    if not has_secret(annotation):
        return value
    if isinstance(value, Mapping) and isinstance(annotation, type):
        fields = annotation.model_fields if issubclass(annotation, BaseModel) else {}
        return {
            name: _masked(part, fields[name].annotation) if name in fields else HIDDEN
            for name, part in value.items()
        }
    if value is None:
        return None
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if get_origin(annotation) in (Union, UnionType) and len(parts) == 1:
        return _masked(value, parts[0])
    if isinstance(value, list) and get_origin(annotation) is list:
        return [_masked(part, parts[0]) for part in value]
    if isinstance(value, Mapping) and get_origin(annotation) is dict:
        return {name: _masked(part, parts[1]) for name, part in value.items()}
    return HIDDEN
