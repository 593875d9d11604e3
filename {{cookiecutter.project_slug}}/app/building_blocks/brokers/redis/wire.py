"""How a message looks in a Redis stream, and what BROKER_URL says about it.

CloudEvents has no binding for Redis. The fields of an entry are the headers under their plain
names, and `data` holds the body: XADD and XREADGROUP are all that another program needs.
"""

import json
import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError
from redis.typing import EncodableT

from app.building_blocks.brokers.adapter import BrokerMessage, MessageRefusedError

Fields = dict[bytes, bytes]
Entry = tuple[bytes, Fields]

BODY = "data"
# What Redis takes as one value, unless its proto-max-bulk-len says otherwise.
MAX_BODY_BYTES = 512 * 1024 * 1024
KEEP_HOURS = 168.0


@dataclass(frozen=True, slots=True)
class Retention:
    """What a stream keeps: the entries of the last `hours`, or the last `entries` of them."""

    hours: float | None
    entries: int | None


def read_url(url: str, timeout: float) -> tuple[str, float, Retention]:
    """What redis-py is to connect to, its socket timeout in seconds, and what streams keep.

    Raises ValueError, a sentence, when it makes no sense.
    """
    parts = urlsplit(url)
    if not parts.path.strip("/").isdigit() and parts.path.strip("/"):
        raise ValueError(f"the path of a Redis URL is a database number, not {parts.path!r}")
    query = {
        "socket_timeout": str(timeout),
        "socket_connect_timeout": str(timeout),
        "max_connections": "1000",
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
        # The answers of version 3 have another shape.
        "protocol": "2",
    }
    retention = _retention(query.pop("keep_hours", None), query.pop("keep_entries", None))
    url = urlunsplit(parts._replace(query=urlencode(query)))
    try:
        pool: Any = ConnectionPool.from_url(url)
        pool.make_connection()
    except (RedisError, TypeError) as error:
        raise ValueError(f"redis-py cannot use it: {error}") from error
    return url, float(query["socket_timeout"]), retention


def encode(message: BrokerMessage) -> dict[EncodableT, EncodableT]:
    """The fields of the entry. Raises MessageRefusedError."""
    headers = {} if message.key is None else {"ce-subject": message.key}
    headers |= message.headers
    if BODY in headers:
        raise MessageRefusedError(f"a header cannot be named {BODY}: this field holds the body")
    if len(message.body) > MAX_BODY_BYTES:
        raise MessageRefusedError(f"Redis takes no more than {MAX_BODY_BYTES} bytes")
    try:
        message.topic.encode()
        fields: dict[EncodableT, EncodableT] = {
            name.encode(): text.encode() for name, text in headers.items()
        }
    except UnicodeEncodeError as error:
        raise MessageRefusedError(f"this message cannot be written in UTF-8: {error}") from error
    return fields | {BODY: message.body}


def decode(topic: str, fields: Fields) -> BrokerMessage:
    """What a program in any language has added."""
    headers = {name.decode(errors="replace"): _text(value) for name, value in fields.items()}
    body = fields.get(BODY.encode())
    headers.pop(BODY, None)
    if body is None:
        # No CloudEvent: as a body, its fields tell it from others and show in the dead letter.
        body = b"" if "ce-id" in headers else json.dumps(headers, ensure_ascii=False).encode()
    return BrokerMessage(topic, body, headers, headers.get("ce-subject"))


def _retention(hours: str | None, entries: str | None) -> Retention:
    if hours is not None and entries is not None:
        raise ValueError("a stream is kept by keep_hours or by keep_entries, not by both")
    if entries is not None:
        if not entries.isdecimal() or int(entries) == 0:
            raise ValueError(f"keep_entries is a number of entries above 0, not {entries!r}")
        return Retention(None, int(entries))
    try:
        kept = KEEP_HOURS if hours is None else float(hours)
    except ValueError:
        kept = math.nan
    if not 0 < kept < math.inf:
        raise ValueError(f"keep_hours is a number of hours above 0, not {hours!r}")
    return Retention(kept, None)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
