"""Reads an integration event off the wire."""

import hashlib
import re
from typing import Any

from pydantic import ValidationError

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.integration_event import IntegrationEvent

MAX_BODY_BYTES = 4 << 20
_LONGEST_ID = 255
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnreadableMessageError(Exception):
    """No handler can take this message, however often it comes."""


def message_id_of(message: BrokerMessage) -> str:
    """What tells it from every other message, at most 255 characters.

    A UUID stands for itself; any other CloudEvents id is unique within its source only. A
    message without a usable id gets one of its attributes and bytes, so that it is kept once
    if it comes again.
    """
    message_id, source = message.headers.get("ce-id", ""), message.headers.get("ce-source", "")
    if _UUID.fullmatch(message_id):
        return message_id
    with_source = f"{message_id} {source}".strip()
    # A space in the id itself could make it look like another id with its source.
    is_usable = bool(message_id) and " " not in message_id and with_source.isprintable()
    if is_usable and len(with_source) <= _LONGEST_ID:
        return with_source
    attributes = sorted(item for item in message.headers.items() if item[0].startswith("ce-"))
    return f"sha256:{hashlib.sha256(repr(attributes).encode() + message.body).hexdigest()}"


def read_event(message: BrokerMessage, event: type[IntegrationEvent]) -> Any:
    """The `event` in `message`. Raises UnreadableMessageError."""
    message_id, kind = message.headers.get("ce-id"), message.headers.get("ce-type")
    if not message_id or not kind:
        raise UnreadableMessageError("the headers ce-id and ce-type (CloudEvents 1.0) are missing")
    if len(message.body) > MAX_BODY_BYTES:
        raise UnreadableMessageError(f"more than {MAX_BODY_BYTES} bytes; only the first are kept")
    if kind != event.topic:
        raise UnreadableMessageError(f"ce-type is {kind!r}, expected {event.topic!r}")
    try:
        return event.model_validate_json(message.body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise UnreadableMessageError(f"not a {event.__name__}: {problems}") from error
