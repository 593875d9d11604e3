"""How a message looks on NATS: the CloudEvents NATS protocol binding, binary mode."""

import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, unquote

from nats.aio.msg import Msg

from app.building_blocks.brokers.adapter import BrokerMessage, MessageRefusedError

# Longer subjects and wildcards make the server close the connection under all that is in flight.
_SUBJECT = re.compile(r"(?!.{256})(?!\$|_INBOX\b)[^\s.*>\x00-\x20\x7f]+(\.[^\s.*>\x00-\x20\x7f]+)*")
# What begins with Nats- tells JetStream what to do with a message.
_HEADER_NAME = re.compile(r"(?!nats-)[!#$%&'*+\-.^_`|~0-9a-z]+", re.IGNORECASE)
_PLAIN = "".join(map(chr, range(0x21, 0x7F))).translate({ord(char): None for char in '"%'})
_QUOTED = re.compile(r'"(.*)"', re.DOTALL)
# The binding makes an attribute of it; most programs look for it where HTTP has it.
_CONTENT_TYPE, _DATA_CONTENT_TYPE = "content-type", "ce-datacontenttype"
_HEADERS_START_AND_END = len("NATS/1.0\r\n\r\n")


@lru_cache(maxsize=256)
def require_subject(topic: str) -> str:
    """`topic`, which NATS can carry messages on, and only on it. Raises ValueError."""
    if not _SUBJECT.fullmatch(topic):
        raise ValueError(f"NATS has no subject like {topic!r}")
    return topic


def encode(message: BrokerMessage, max_payload: int) -> dict[str, str]:
    """The headers of `message`. Raises MessageRefusedError, also above `max_payload` bytes."""
    headers = {} if message.key is None else {"ce-subject": message.key}
    headers |= message.headers
    try:
        require_subject(message.topic)
        outgoing = {_checked(name): quote(text, _PLAIN) for name, text in headers.items()}
    except ValueError as error:
        raise MessageRefusedError(f"NATS cannot carry this message: {error}") from error
    if content_type := outgoing.get(_CONTENT_TYPE):
        outgoing[_DATA_CONTENT_TYPE] = content_type
    if message_id := outgoing.get("ce-id"):
        outgoing["Nats-Msg-Id"] = message_id
    lines = sum(len(f"{name}: {text}\r\n") for name, text in outgoing.items())
    size = _HEADERS_START_AND_END + lines + len(message.body)
    if size > max_payload:
        raise MessageRefusedError(
            f"This message has {size} bytes with its headers, more than the {max_payload} that the "
            "NATS server takes: raise max_payload in the server's configuration"
        )
    return outgoing


def decode(topic: str, message: Msg) -> BrokerMessage:
    """What a program in any language sent, its attributes under their plain names."""
    headers: dict[str, str] = {}
    for name, value in (message.headers or {}).items():
        plain = _plain_name(name)
        if not plain.startswith("nats-"):
            headers[plain] = _text(value)
    if _DATA_CONTENT_TYPE in headers:
        headers[_CONTENT_TYPE] = headers.pop(_DATA_CONTENT_TYPE)
    return BrokerMessage(topic, message.data, headers, headers.get("ce-subject"))


@lru_cache(maxsize=256)
def _checked(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"NATS has no header like {name!r}")
    return name


def _plain_name(name: str) -> str:
    """Names are case-insensitive in the binding, so other programs may write them otherwise."""
    lower = name.lower()
    return lower if lower.startswith(("ce-", "nats-")) or lower == _CONTENT_TYPE else name


def _text(value: str) -> str:
    if quoted := _QUOTED.fullmatch(value):
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    # What is no UTF-8 stays as it was sent, so that two such ids stay two.
    with suppress(UnicodeDecodeError):
        return unquote(value, errors="strict")
    return value
