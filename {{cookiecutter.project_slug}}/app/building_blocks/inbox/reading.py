"""Reads an integration event off the wire."""

import hashlib
from typing import Any

from pydantic import ValidationError

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.integration_event import IntegrationEvent

_LONGEST_ID = 255


class UnreadableMessageError(Exception):
    """No handler can take this message, however often it comes."""


def message_id_of(message: BrokerMessage) -> str:
    """Its CloudEvents id, or one made of its bytes when it has none that can be used."""
    message_id = message.headers.get("ce-id", "")
    if 0 < len(message_id) <= _LONGEST_ID and "\0" not in message_id:
        return message_id
    # The same bytes get the same id, so that a foreign message is kept once if it comes again.
    return f"sha256:{hashlib.sha256(message.body).hexdigest()}"


def read_event(message: BrokerMessage, event: type[IntegrationEvent]) -> Any:
    """The `event` in `message`. Raises UnreadableMessageError."""
    message_id, kind = message.headers.get("ce-id"), message.headers.get("ce-type")
    if not message_id or not kind:
        raise UnreadableMessageError("the headers ce-id and ce-type (CloudEvents 1.0) are missing")
    if message_id != message_id_of(message):
        raise UnreadableMessageError(f"ce-id holds NUL or more than {_LONGEST_ID} characters")
    if kind != event.topic:
        raise UnreadableMessageError(f"ce-type is {kind!r}, expected {event.topic!r}")
    try:
        return event.model_validate_json(message.body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise UnreadableMessageError(f"not a {event.__name__}: {problems}") from error
