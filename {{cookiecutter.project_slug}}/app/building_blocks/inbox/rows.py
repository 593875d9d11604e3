"""What an inbox row says of the message that it is about."""

from collections.abc import Mapping
from typing import Any

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.context import CORRELATION_ID, ENVIRONMENT
from app.building_blocks.inbox.reading import MAX_BODY_BYTES
from app.building_blocks.text import storable


def columns(
    message_id: str, consumer: str, message: BrokerMessage, context: Mapping[str, str]
) -> dict[str, Any]:
    """The columns of a message that has carried `context` here."""
    return {
        "message_id": message_id,
        "consumer": consumer,
        "topic": message.topic,
        "key": None if message.key is None else storable(message.key)[:255],
        "correlation_id": context.get(CORRELATION_ID, message_id),
        "environment": context.get(ENVIRONMENT),
        "headers": message.headers,
        # One byte more than can be read, so that what was cut stays unreadable.
        "payload": message.body[: MAX_BODY_BYTES + 1],
    }
