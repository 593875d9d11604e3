"""Fills the outbox with as many rows as one likes, made within the database."""

from typing import Any

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.table import MOVED, outbox, published
from rows import AT_ONCE, fill
from sqlalchemy import ColumnElement, String, Table, cast, func, insert, select

NEW_ID: dict[str, ColumnElement[Any]] = {
    "sqlite": func.lower(func.hex(func.randomblob(16))),
    "postgresql": cast(func.gen_random_uuid(), String),
    "mysql": func.uuid(),
}


async def make_waiting(database: Database, rows: int) -> None:
    """Add `rows` that wait to an empty outbox."""
    await fill(database, min(rows, AT_ONCE))
    await _multiply(database, outbox, MOVED, rows)


async def make_published(database: Database, rows: int) -> None:
    """Add `rows` that were published; nothing must be in the outbox, and nothing is after it."""
    if not rows:
        return
    await fill(database, min(rows, AT_ONCE))
    waiting = select(*(outbox.c[name] for name in MOVED), database.dialect.now())
    async with database.begin() as connection:
        await connection.execute(insert(published).from_select([*MOVED, "published_at"], waiting))
        await connection.execute(outbox.delete())
    await _multiply(database, published, (*MOVED, "published_at"), rows)


async def _multiply(database: Database, table: Table, names: tuple[str, ...], rows: int) -> None:
    """Copy what is there until there are `rows`, each with an id and a key of its own."""
    new_id = NEW_ID[database.writer.dialect.name]
    own = {"message_id": new_id, "key": new_id}
    count = min(rows, AT_ONCE)
    while count < rows:
        more = min(count, rows - count)
        copies = select(*(own.get(name, table.c[name]) for name in names)).limit(more)
        async with database.begin() as connection:
            await connection.execute(insert(table).from_select(list(names), copies))
        count += more
