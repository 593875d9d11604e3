"""The statements that transactions send."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from app.building_blocks.databases.database import Database


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """What transactions send meanwhile, without their begin and commit."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(database.writer.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.writer.sync_engine, "before_cursor_execute", note)
