"""How a message looks in a Redis stream.

CloudEvents has no binding for Redis. The fields of an entry are the headers under their plain
names, and `data` holds the body: XADD and XREADGROUP are all that another program needs.
"""

import json

from app.building_blocks.brokers.adapter import BrokerMessage, MessageRefusedError

Fields = dict[bytes, bytes]
Entry = tuple[bytes, Fields]

BODY = "data"
# What Redis takes as one value, unless its proto-max-bulk-len says otherwise.
MAX_BODY_BYTES = 512 * 1024 * 1024


def encode(message: BrokerMessage) -> Fields:
    """The fields of the entry. Raises MessageRefusedError."""
    headers = {} if message.key is None else {"ce-subject": message.key}
    headers |= message.headers
    if BODY in headers:
        raise MessageRefusedError(f"a header cannot be named {BODY}: this field holds the body")
    if len(message.body) > MAX_BODY_BYTES:
        raise MessageRefusedError(f"Redis takes no more than {MAX_BODY_BYTES} bytes")
    try:
        message.topic.encode()
        fields = {name.encode(): text.encode() for name, text in headers.items()}
    except UnicodeEncodeError as error:
        raise MessageRefusedError(f"this message cannot be written in UTF-8: {error}") from error
    fields[BODY.encode()] = message.body
    return fields


def decode(topic: str, fields: Fields) -> BrokerMessage:
    """What a program in any language has added."""
    headers = {name.decode(errors="replace"): _text(value) for name, value in fields.items()}
    body = fields.get(BODY.encode())
    headers.pop(BODY, None)
    if body is None:
        # No CloudEvent: as a body, its fields tell it from others and show in the dead letter.
        body = b"" if "ce-id" in headers else json.dumps(headers, ensure_ascii=False).encode()
    return BrokerMessage(topic, body, headers, headers.get("ce-subject"))


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
