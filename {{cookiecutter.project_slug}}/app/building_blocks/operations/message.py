"""A row of the outbox or the inbox, as operators see it."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, null

from app.building_blocks.operations.secret import Secrets
from app.building_blocks.operations.states import State
from app.building_blocks.operations.times import in_utc


class Message(NamedTuple):
    """One row, for people. `payload` is JSON with its secrets hidden; times are in UTC.

    `due_at` is when it is tried next, `settled_at` when nothing more was to be done. Where many
    are shown at once, `payload` is None: each may have megabytes.
    """

    box: str
    state: str
    message_id: str
    consumer: str | None
    topic: str
    key: str | None
    attempts: int
    since: datetime | None
    due_at: datetime | None
    settled_at: datetime | None
    last_error: str | None
    correlation_id: str
    headers: dict[str, str]
    payload: str | None


def columns_of(state: State, secrets: Secrets, *, payloads: bool) -> list[ColumnElement[Any]]:
    """What `message_of` needs; of the payloads at least those of which an error could tell."""
    if payloads:
        return list(state.table.c)
    columns = state.table.c
    some: list[ColumnElement[Any]] = [one for one in columns if one is not columns.payload]
    has_error = columns.get("last_error", null()).is_not(None)
    needed = case((and_(columns.topic.in_(secrets.topics), has_error), columns.payload))
    return [*some, needed.label("payload")]


def message_of(state: State, row: Any, secrets: Secrets, *, payload: bool) -> Message:
    """What `row`, which is in `state`, may tell."""
    error = getattr(row, "last_error", None)
    return Message(
        state.box,
        state.name,
        row.message_id,
        getattr(row, "consumer", None),
        row.topic,
        row.key,
        row.attempts,
        in_utc(getattr(row, "received_at", None) or getattr(row, "created_at", None)),
        in_utc(getattr(row, "next_attempt_at", None) or getattr(row, "available_at", None)),
        in_utc(getattr(row, "handled_at", None) or getattr(row, "published_at", None)),
        error and secrets.kept_out_of(error, row.topic, row.payload),
        row.correlation_id or row.message_id,
        dict(row.headers or {}),
        secrets.shown(row.topic, row.payload) if payload else None,
    )
