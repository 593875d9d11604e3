"""A message as the frames that AMQP 0-9-1 writes it in (its specification, sections 2.3 and 4.2).

pamqp can do this too; it takes five times as long, which was a third of all that a send costs.
"""

import struct
from functools import lru_cache
from typing import NamedTuple

from aiormq.channel import Channel
from pamqp.commands import Basic
from pamqp.frame import marshal

from app.building_blocks.brokers.adapter import MessageRefusedError

EXCHANGE_NAME = "integration-events"
# All headers share one frame of 131072 bytes. The server answers a longer one by closing the
# connection, at each retry again, so it must not leave this process.
MAX_HEADER_BYTES = 64 * 1024
MAX_TOPIC_BYTES, MAX_NAME_BYTES = 255, 128

HEADER_FRAME, BODY_FRAME, FRAME_END = 2, 3, b"\xce"
BASIC_CLASS, PERSISTENT = 60, b"\x02"
CONTENT_TYPE, HEADERS, DELIVERY_MODE, MESSAGE_ID, APP_ID = 1 << 15, 1 << 13, 1 << 12, 1 << 7, 1 << 3


class OutgoingMessage(NamedTuple):
    """A persistent message for the exchange."""

    topic: str
    body: bytes
    headers: dict[str, str]
    content_type: str
    message_id: str
    app_id: str

    def frames(self, channel: Channel) -> bytes:
        """All its frames, as they are written on `channel`. Raises MessageRefusedError."""
        try:
            publish = _publish_frame(channel.number, self.topic)
            properties = self._properties()
        except (ValueError, struct.error) as error:
            raise MessageRefusedError(
                f"AMQP cannot carry this message ({error}): its topic may have {MAX_TOPIC_BYTES} "
                f"bytes, the name of a header {MAX_NAME_BYTES}"
            ) from error
        # A server may set no limit to frames, which aiormq takes for one below 0.
        most = channel.max_content_size if channel.max_content_size > 0 else len(self.body) + 1
        if len(properties) > MAX_HEADER_BYTES:
            raise MessageRefusedError(
                f"AMQP cannot carry this message: its headers may have {MAX_HEADER_BYTES} bytes"
            )
        head = struct.pack(">HHQ", BASIC_CLASS, 0, len(self.body)) + properties
        parts = [self.body[start : start + most] for start in range(0, len(self.body), most)]
        content = [_frame(BODY_FRAME, channel.number, part) for part in parts]
        return b"".join([publish, _frame(HEADER_FRAME, channel.number, head), *content])

    def _properties(self) -> bytes:
        """Flags that say which ones there are, then these, in the order of their flags."""
        table = b"".join(_field(name, text) for name, text in self.headers.items())
        given = [
            (CONTENT_TYPE, _short_string(self.content_type) if self.content_type else b""),
            (HEADERS, struct.pack(">I", len(table)) + table),
            (DELIVERY_MODE, PERSISTENT),
            (MESSAGE_ID, _short_string(self.message_id) if self.message_id else b""),
            (APP_ID, _short_string(self.app_id)),
        ]
        flags = sum(flag for flag, value in given if value)
        return struct.pack(">H", flags) + b"".join(value for _, value in given)


@lru_cache(maxsize=256)
def _publish_frame(channel: int, topic: str) -> bytes:
    if len(topic.encode()) > MAX_TOPIC_BYTES:
        raise ValueError("the topic is too long")
    frame: bytes = marshal(Basic.Publish(exchange=EXCHANGE_NAME, routing_key=topic), channel)
    return frame


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + FRAME_END


def _field(name: str, text: str) -> bytes:
    value = text.encode()
    return _name_of_field(name) + struct.pack(">I", len(value)) + value


@lru_cache(maxsize=256)
def _name_of_field(name: str) -> bytes:
    key = name.encode()
    if len(key) > MAX_NAME_BYTES:
        raise ValueError("the name of a header is too long")
    return struct.pack("B", len(key)) + key + b"S"


def _short_string(text: str) -> bytes:
    value = text.encode()
    return struct.pack("B", len(value)) + value
