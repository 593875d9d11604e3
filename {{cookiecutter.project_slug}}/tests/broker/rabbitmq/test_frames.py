"""The frames of a message, as pamqp reads them."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.frame import unmarshal
from pamqp.header import ContentHeader

from app.building_blocks.brokers.rabbitmq.frames import EXCHANGE_NAME, OutgoingMessage

NAMES = some.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())
TEXTS = some.text(some.characters(exclude_categories=["Cs"]), max_size=200)


def read(message: OutgoingMessage, most: int) -> list[Any]:
    """Its frames on channel 3, whose content has `most` bytes."""
    channel: Any = SimpleNamespace(number=3, max_content_size=most)
    written, frames = message.frames(channel), []
    while written:
        size, number, frame = unmarshal(written)
        assert number == 3
        frames.append(frame)
        written = written[size:]
    return frames


# The first text that is drawn takes a second on a busy machine.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(some.dictionaries(NAMES, TEXTS, max_size=5), some.binary(max_size=50), some.integers(1, 60))
def test_what_is_written_is_what_is_read(headers: dict[str, str], body: bytes, most: int) -> None:
    message = OutgoingMessage("a.topic.v1", body, headers, "text/x", "an id", "a service")
    publish, header, *parts = read(message, most)
    assert isinstance(publish, Basic.Publish)
    assert (publish.exchange, publish.routing_key) == (EXCHANGE_NAME, "a.topic.v1")
    assert isinstance(header, ContentHeader)
    assert header.body_size == len(body)
    told = header.properties
    assert (told.headers, told.content_type, told.message_id) == (headers, "text/x", "an id")
    assert (told.app_id, told.delivery_mode) == ("a service", 2)
    assert all(isinstance(part, ContentBody) and len(part.value) <= most for part in parts)
    assert b"".join(part.value for part in parts) == body


@pytest.mark.parametrize("body", [b"", b"all of it"])
def test_a_server_may_set_no_limit_to_frames(body: bytes) -> None:
    message = OutgoingMessage("a.topic.v1", body, {}, "", "", "a service")
    _, header, *parts = read(message, -8)
    assert header.body_size == len(body)
    assert b"".join(part.value for part in parts) == body
