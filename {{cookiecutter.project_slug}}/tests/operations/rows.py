"""Rows of outbox and inbox, as many and in whichever state a test needs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.operations.actions import Actions
from app.building_blocks.operations.message import Message
from app.building_blocks.operations.messages import Messages
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.operations.states import State, state_of
from app.building_blocks.outbox.table import outbox, published
from app.building_blocks.wake_up import WakeUp

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TOPIC = "tests.happened.v1"

WAITING, REFUSED = state_of("outbox", "waiting"), state_of("outbox", "dead")
PUBLISHED = state_of("outbox", "published")
RETRYING, DEAD = state_of("inbox", "retrying"), state_of("inbox", "dead")
HANDLED, DISCARDED = state_of("inbox", "handled"), state_of("inbox", "discarded")


def messages_of(database: Database) -> Messages:
    return Messages(database, Secrets([]))


def actions_of(database: Database) -> Actions:
    return Actions(database, WakeUp(), WakeUp())


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


async def write(database: Database, state: State, *rows: dict[str, Any]) -> None:
    """A row for each, with what it does not say filled in."""
    async with database.begin() as connection:
        for number, row in enumerate(rows):
            await connection.execute(insert(state.table).values(_complete(state, number, row)))


def _complete(state: State, number: int, row: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "message_id": f"m{number}", "topic": TOPIC, "key": None, "headers": {}, "payload": "{}",
        "attempts": 0,
    }  # fmt: skip
    if state.table is published:
        values |= {"created_at": at(number), "published_at": at(number)}
    elif state.table is outbox:
        values |= {"created_at": at(number), "state": state.name}
    else:
        is_open = state is RETRYING
        values |= {"consumer": "svc.tests.one", "state": state.name, "received_at": at(number)}
        values |= {"next_attempt_at" if is_open else "handled_at": at(number)}
    values |= row
    if state.table is inbox and isinstance(values["payload"], str):
        values["payload"] = values["payload"].encode()
    return values


async def count(database: Database, state: State) -> int:
    async with database.reader.connect() as connection:
        rows = select(func.count()).select_from(state.table).where(state.has(database.dialect))
        return await connection.scalar(rows) or 0


def ids(messages: Sequence[Message]) -> list[str]:
    return [one.message_id for one in messages]
