"""Keeps secret what an integration event marks as secret, wherever operators look."""

import json
import re
from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer, SecretStr

from app.building_blocks.integration_event import IntegrationEvent

HIDDEN = "••••••"
_LIKE_ANY_WORD = 4

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
                value = _masked(value, self._models[topic], [])
            return json.dumps(value, indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            # Also what is nested too deep, which must not hide the messages beside it.
            return HIDDEN if topic in self.topics else text

    def kept_out_of(self, text: str, topic: str, payload: str | bytes) -> str:
        """`text`, such as an error that came of the payload, without what is secret in that."""
        if topic not in self.topics:
            return text
        found: list[str] = []
        try:
            _masked(json.loads(payload), self._models[topic], found)
        except (ValueError, RecursionError):
            # No handler has seen what is in it, so no error can tell.
            return text
        return _without(text, found)


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


def _masked(value: Any, annotation: Any, found: list[str]) -> Any:
    """`value` without what `annotation` says is secret, which goes into `found`.

    What fits nothing is hidden.
    """
    if value is None or not has_secret(annotation):
        return value
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        parts = tuple(part for part in parts if part is not NoneType)
    if origin is Annotated or (origin in (Union, UnionType) and len(parts) == 1):
        return _masked(value, parts[0], found)
    if isinstance(value, Mapping):
        return _masked_object(value, annotation, found)
    if isinstance(value, list) and (each := _each_of(origin, parts, len(value))) is not None:
        return [_masked(part, kind, found) for part, kind in zip(value, each, strict=True)]
    return _hidden(value, found)


def _masked_object(value: Mapping[str, Any], annotation: Any, found: list[str]) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return {
            name: _masked(part, fields[name].annotation if name in fields else SecretStr, found)
            for name, part in value.items()
        }
    if get_origin(annotation) is dict:
        names, values = get_args(annotation)
        if not has_secret(names):
            return {name: _masked(part, values, found) for name, part in value.items()}
        found.extend(value)
    return _hidden(value, found)


def _each_of(origin: Any, parts: tuple[Any, ...], length: int) -> tuple[Any, ...] | None:
    """The annotation of each of the `length` values of a list; None if they do not fit."""
    if origin in (list, set, frozenset) or (origin is tuple and parts[-1] is Ellipsis):
        return parts[:1] * length
    return parts if origin is tuple and len(parts) == length else None


def _hidden(value: Any, found: list[str]) -> str:
    """Nothing of `value`; all of its texts and numbers go into `found`."""
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            _hidden(part, found)
    elif value not in (None, True, False):
        found.append(str(value))
    return HIDDEN


def _without(text: str, secrets: Iterable[str]) -> str:
    """As they are, and as they look when a text quotes them."""
    spellings = {way for one in secrets for way in (one, repr(one)[1:-1], json.dumps(one)[1:-1])}
    for secret in sorted(spellings - {""}, key=len, reverse=True):
        # A short one stands in other words by chance, and would tell what it is by its place.
        word = rf"(?<!\w){re.escape(secret)}(?!\w)" if len(secret) < _LIKE_ANY_WORD else None
        text = re.sub(word, HIDDEN, text) if word else text.replace(secret, HIDDEN)
    return text
