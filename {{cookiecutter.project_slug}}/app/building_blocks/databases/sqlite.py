"""SQLite: embedded, one file, one writer at a time."""

import asyncio
import re
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import cache
from typing import Any

import aiosqlite
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Table,
    bindparam,
    event,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles

from app.building_blocks.databases.quoted_values import keep_values_out
from app.building_blocks.errors import BusyError

_LOCK_WAIT_SECONDS = 30
_TIME = "%Y-%m-%d %H:%M:%f000"
_NOW = func.strftime(_TIME, "now", type_=DateTime(timezone=True))
# Of all values it quotes the paths into JSON.
_QUOTED = re.compile(r"(?<=JSON path error near )'.*'|(?<=bad JSON path: )'.*'", re.DOTALL)


@compiles(BigInteger, "sqlite")
def _big_integer(type_: BigInteger, compiler: Any, **options: Any) -> str:
    # Only a column that is declared INTEGER counts up by itself; it holds 64 bits all the same.
    return "INTEGER"


class SQLite:
    """Writers queue in the process, in order, for the one writing connection."""

    schemes = ("sqlite",)
    driver = "sqlite+aiosqlite"
    strays = False
    deletes_within = False

    def engines(self, url: str) -> tuple[AsyncEngine, AsyncEngine]:
        # Parameters are payloads, and errors go to the log.
        options: Any = {"connect_args": {"async_creator_fn": _connect}, "hide_parameters": True}
        writer = create_async_engine(url, pool_size=1, max_overflow=0, **options)
        reader = create_async_engine(
            url, pool_size=5, max_overflow=15, isolation_level="AUTOCOMMIT", **options
        )
        for engine in (writer, reader):
            keep_values_out(engine, _QUOTED)
        event.listen(writer.sync_engine, "connect", _configure)
        event.listen(reader.sync_engine, "connect", _configure)
        # Taking the write lock first means that a transaction never fails half-way with
        # "database is locked" because another process wrote in between.
        event.listen(
            writer.sync_engine,
            "begin",
            lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"),
        )
        return writer, reader

    def writers_turn(self) -> AbstractAsyncContextManager[Any]:
        # Waiting for this lock is fair and quick; waiting for the file's own is neither.
        return _Turn()

    def is_deadlock(self, error: DBAPIError) -> bool:
        # With one writer at a time there are none.
        return False

    def is_away(self, error: DBAPIError) -> bool:
        reasons = ("unable to open", "is locked", "disk I/O", "is not a database")
        is_its_own = type(error) in (OperationalError, DatabaseError)
        return is_its_own and any(reason in str(error.orig) for reason in reasons)

    def signals(self, engine: AsyncEngine) -> None:
        return None

    def now(self) -> ColumnElement[datetime]:
        return _NOW

    def later(self, seconds: float) -> ColumnElement[datetime]:
        shift = f"{seconds:+.3f} seconds"
        return func.strftime(_TIME, "now", shift, type_=DateTime(timezone=True))

    def among(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        each = func.json_each(bindparam(name, type_=JSON)).table_valued("value")
        return column.in_(select(each.c.value))

    def holds(self, column: ColumnElement[Any], part: str | bytes) -> ColumnElement[bool]:
        return func.instr(column, part) > 0

    async def insert_if_absent(
        self,
        connection: AsyncConnection,
        table: Table,
        row: dict[str, Any],
        times: tuple[str, ...] = (),
    ) -> bool:
        return (await connection.execute(_insert_if_absent(table, times), row)).rowcount == 1

    async def insert_all(
        self,
        connection: AsyncConnection,
        table: Table,
        rows: Sequence[dict[str, Any]],
        times: Collection[str],
    ) -> None:
        # Rows as parameters: the statement is compiled once, however many there are.
        statement = insert(table).values(dict.fromkeys(times, self.now()))
        await connection.execute(statement, rows)


@cache
def _insert_if_absent(table: Table, times: tuple[str, ...]) -> Insert:
    # To put the statement together takes as long as to run it.
    return insert(table).values(dict.fromkeys(times, _NOW)).on_conflict_do_nothing()


class _Turn:
    """A lock that is not waited for longer than the file's own."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(_LOCK_WAIT_SECONDS):
                await self._lock.acquire()
        except TimeoutError:
            raise BusyError(
                f"No turn to write within {_LOCK_WAIT_SECONDS} s: a transaction is held open, "
                "perhaps by a handler that waits for something else"
            ) from None

    async def __aexit__(self, *error: object) -> None:
        self._lock.release()


async def _connect(path: str, **options: Any) -> aiosqlite.Connection:
    """Connect as the driver does, and leave nothing behind when that fails or is cancelled.

    The driver would leave its thread, which reports to an event loop that may be closed by then.
    """
    connection = aiosqlite.connect(path, **options)
    # A process that ends without closing the connection must not wait for it.
    connection._thread.daemon = True
    opening = asyncio.ensure_future(connection)
    try:
        return await asyncio.shield(opening)
    except BaseException:
        # Cancelled itself, the driver would also lose the file that its thread is opening.
        await asyncio.wait({opening})
        await connection.close()
        if connection._thread.is_alive():
            await asyncio.to_thread(connection._thread.join)
        raise


def _configure(connection: Any, record: Any) -> None:
    # The driver would begin transactions by its own rules; the engine's events do it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {_LOCK_WAIT_SECONDS * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
