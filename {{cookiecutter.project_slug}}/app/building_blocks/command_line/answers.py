"""What the commands answer: one JSON document for machines, or text for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

import typer

from app.building_blocks.command_line.tables import (
    age,
    block,
    clock,
    table,
    terminal_width,
)
from app.building_blocks.operations.backlog import Backlog
from app.building_blocks.operations.message import Message
from app.building_blocks.text import printable


def as_json(document: Any) -> str:
    """Indented, with its times in ISO 8601. Raises ValueError for a number that JSON has not."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain, allow_nan=False)


def say_json(document: Any) -> None:
    typer.echo(as_json(document))


def message_document(message: Message) -> dict[str, Any]:
    """A message for machines: its payload as JSON where it is JSON, else as text."""
    payload = None if message.payload is None else _as_value(message.payload)
    return message._asdict() | {"payload": payload}


def status_table(found: Sequence[Backlog]) -> str:
    rows = [
        {
            "state": one.state,
            "messages": f"{one.rows:,}{'+' if one.is_more else ''}",
            "oldest": age(one.oldest_seconds),
        }
        for one in found
    ]
    return table(rows, width=terminal_width())


def message_table(messages: Sequence[Message]) -> str:
    rows = [_line(message) for message in messages]
    # A column in which nothing stands takes room and says nothing.
    empty = {name for name in rows[0] if not any(row[name] for row in rows)}
    shown = [{name: row[name] for name in row if name not in empty} for row in rows]
    return table(shown, width=terminal_width(), shrinks=("topic", "key", "consumer", "error"))


def chain_table(messages: Sequence[Message]) -> str:
    rows = [
        {
            "since": clock(message.since),
            "box": message.box,
            "state": message.state,
            "topic": message.topic,
            "consumer": message.consumer or "",
            "message id": message.message_id,
        }
        for message in messages
    ]
    return table(rows, width=terminal_width(), shrinks=("topic", "consumer"))


def message_text(message: Message) -> str:
    """All of it."""
    head = {"box": message.box, "state": message.state, **_line(message)}
    told = {name: value for name, value in head.items() if value}
    headers = block(message.headers) if message.headers else "none"
    return f"{block(told)}\n\nHeaders\n{headers}\n\nPayload\n{printable(message.payload or '')}"


def _line(message: Message) -> dict[str, str]:
    return {
        "message id": message.message_id,
        "topic": message.topic,
        "key": message.key or "",
        "consumer": message.consumer or "",
        "since": clock(message.since),
        "due": clock(message.due_at),
        "settled": clock(message.settled_at),
        "attempts": str(message.attempts),
        "error": message.last_error or "",
    }


def _as_value(payload: str) -> Any:
    try:
        value = json.loads(payload)
        # Python reads more than JSON has, such as NaN and 1e999.
        as_json(value)
    except (ValueError, RecursionError):
        return payload
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
