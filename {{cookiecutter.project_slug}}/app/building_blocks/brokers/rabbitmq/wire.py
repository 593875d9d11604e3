"""How a message looks on RabbitMQ: the CloudEvents AMQP protocol binding, binary mode."""

import re
import struct

import aio_pika
from faststream.rabbit import RabbitMessage
from pamqp.header import ContentHeader

from app.building_blocks.brokers.adapter import BrokerMessage, MessageRefusedError

# All headers share one frame of 131072 bytes. The server answers a longer one by closing the
# connection, at each retry again, so it must not leave this process.
MAX_HEADER_BYTES = 64 * 1024


def encode(message: BrokerMessage, service: str) -> aio_pika.Message:
    """Name the attributes as the CloudEvents AMQP binding does. Raises MessageRefusedError."""
    headers = {} if message.key is None else {"ce-subject": message.key}
    headers |= message.headers
    outgoing = aio_pika.Message(
        message.body,
        content_type=headers.pop("content-type", None),
        message_id=headers.get("ce-id"),
        headers={re.sub("^ce-", "cloudEvents:", name): text for name, text in headers.items()},
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        app_id=service,
    )
    try:
        topic_size = len(message.topic.encode())
        name_size = max((len(name.encode()) for name in outgoing.headers), default=0)
        size = len(ContentHeader(properties=outgoing.properties).marshal())
    except (TypeError, ValueError, struct.error) as error:
        raise MessageRefusedError(f"AMQP cannot carry this message: {error}") from error
    if topic_size > 255 or name_size > 128 or size > MAX_HEADER_BYTES:
        raise MessageRefusedError(
            "AMQP cannot carry this message: its topic may have 255 bytes, the name of a header "
            f"128, all headers together {MAX_HEADER_BYTES}"
        )
    return outgoing


def decode(topic: str, message: RabbitMessage) -> BrokerMessage:
    """What a program in any language sent, its attributes under their plain names."""
    raw = message.raw_message
    headers = {
        re.sub("^cloudEvents[:_]", "ce-", name): _text(value) for name, value in raw.headers.items()
    }
    if raw.content_type:
        headers["content-type"] = raw.content_type
    return BrokerMessage(topic, raw.body, headers, headers.get("ce-subject"))


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value)
