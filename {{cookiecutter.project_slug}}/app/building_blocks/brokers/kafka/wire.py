"""How a message looks on Kafka: the CloudEvents Kafka protocol binding, binary mode."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from app.building_blocks.brokers.adapter import BrokerMessage, MessageRefusedError

_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")


class OutgoingRecord(NamedTuple):
    """What a producer sends."""

    topic: str
    value: bytes
    key: bytes | None
    headers: list[tuple[str, bytes]]


def encode(message: BrokerMessage) -> OutgoingRecord:
    """Name the attributes as the CloudEvents Kafka binding does. Raises MessageRefusedError."""
    if not _TOPIC.fullmatch(message.topic) or message.topic in (".", ".."):
        raise MessageRefusedError(
            f"Kafka knows no topic {message.topic[:300]!r}: its name may have 249 of the "
            "characters a-z, A-Z, 0-9, full stop, underscore and hyphen"
        )
    attributes = {} if message.key is None else {"ce-subject": message.key}
    attributes |= message.headers
    try:
        headers = [(_carried(name), text.encode()) for name, text in attributes.items()]
        key = None if message.key is None else message.key.encode()
    except UnicodeEncodeError as error:
        raise MessageRefusedError(f"Kafka cannot carry this message: {error}") from error
    return OutgoingRecord(message.topic, message.body, key, headers)


def decode(record: Any) -> BrokerMessage:
    """What a program in any language sent, its attributes under their plain names."""
    headers = {re.sub("^ce_", "ce-", name): _text(value) for name, value in record.headers}
    key = None if record.key is None else _text(record.key)
    return BrokerMessage(record.topic, record.value or b"", headers, headers.get("ce-subject", key))


@lru_cache(maxsize=256)
def _carried(name: str) -> str:
    name.encode()  # the client does it, too, but too late to say which message is to blame
    return re.sub("^ce-", "ce_", name)


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")
