"""What only SQLite does: a thread for each connection, and what its errors quote."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVarTuple

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.building_blocks.databases.database import Database
from app.database import open_database
from app.settings import Settings
from tests.many_rows import plan_of_a_claim
from tests.unreachable import unreachable

Ts = TypeVarTuple("Ts")


class BusyMachine(asyncio.SelectorEventLoop):
    """A thread that told it something goes on only when it is closed, or after a moment."""

    def __init__(self) -> None:
        super().__init__()
        self._has_closed = threading.Event()

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        self._has_closed.wait(0.1)
        return handle

    def close(self) -> None:
        super().close()
        self._has_closed.set()


async def fail_to_connect(database_url: str, folder: Path) -> None:
    database = open_database(unreachable(database_url, folder))
    with pytest.raises(OperationalError):
        await database.reader.connect()
    await database.dispose()


async def connect_too_late(database_url: str, folder: Path) -> None:
    database = open_database(database_url)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await database.reader.connect()
    await database.dispose()


@pytest.mark.parametrize("connect", [fail_to_connect, connect_too_late])
def test_a_connection_that_is_not_made_has_nothing_to_tell_a_loop_that_is_closed(
    connect: Callable[[str, Path], Coroutine[Any, Any, None]],
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unheard: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", unheard.append)
    before = set(threading.enumerate())
    with asyncio.Runner(loop_factory=BusyMachine) as runner:
        runner.run(connect(settings.database_url, tmp_path))
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert not unheard


async def test_an_error_quotes_no_path_into_json(database: Database) -> None:
    statement = text("SELECT json_extract('{}', :path)")
    with pytest.raises(DBAPIError, match=r"near \.\.\.|path: \.\.\.") as caught:
        async with database.reader.connect() as connection:
            await connection.execute(statement, {"path": "it's hunter2"})
    assert "hunter2" not in f"{caught.value} {caught.value.orig!r}"


async def test_a_claim_passes_rows_of_other_states_by(database: Database) -> None:
    plan = await plan_of_a_claim(database, "EXPLAIN QUERY PLAN")
    assert "ix_outbox_state_position" in plan, plan
