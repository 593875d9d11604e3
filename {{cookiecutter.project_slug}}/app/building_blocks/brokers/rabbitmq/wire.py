"""How a message looks on RabbitMQ: the CloudEvents AMQP protocol binding, binary mode."""

import re
from functools import lru_cache

from faststream.rabbit import RabbitMessage

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.rabbitmq.frames import OutgoingMessage


def encode(message: BrokerMessage, service: str) -> OutgoingMessage:
    """Name the attributes as the CloudEvents AMQP binding does."""
    headers = {} if message.key is None else {"ce-subject": message.key}
    headers |= message.headers
    content_type = headers.pop("content-type", "")
    return OutgoingMessage(
        message.topic,
        message.body,
        {_wire_name(name): text for name, text in headers.items()},
        content_type,
        headers.get("ce-id", ""),
        service,
    )


def decode(topic: str, message: RabbitMessage) -> BrokerMessage:
    """What a program in any language sent, its attributes under their plain names."""
    raw = message.raw_message
    headers = {
        re.sub("^cloudEvents[:_]", "ce-", name): _text(value) for name, value in raw.headers.items()
    }
    if raw.content_type:
        headers["content-type"] = raw.content_type
    return BrokerMessage(topic, raw.body, headers, headers.get("ce-subject"))


@lru_cache(maxsize=256)
def _wire_name(name: str) -> str:
    return re.sub("^ce-", "cloudEvents:", name)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value)
