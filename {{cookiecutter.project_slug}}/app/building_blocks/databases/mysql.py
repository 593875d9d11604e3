"""MySQL 8 and MariaDB 10.6 or newer, through asyncmy."""

import logging
import re
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from functools import cache
from typing import Any

import asyncmy
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Insert,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles

from app.building_blocks.databases.liveness import ping_when_idle
from app.building_blocks.databases.quoted_values import keep_values_out

# MySQL's own defaults cut what the other databases keep: fractions of a second, text above
# 64 KiB, and the difference between upper and lower case.

# A duplicate, a value that does not fit, and a part of the statement: the driver writes the
# parameters into that.
_QUOTED = re.compile(
    r"(?<=Duplicate entry )'.*'(?= for key )"
    r"|(?<= value: )'.*'(?= for column \S+ at row \d+$)|(?<= value: )'.*'"
    r"|(?<= near )'.*'(?= at line )|(?<= out of range in )'.*'",
    re.DOTALL,
)
_DUPLICATE_KEY = 1062
_DEADLOCK = {(1213,), (1205,)}
_LOST = 2013
# Cannot connect, gone away, lost during a query, shutting down, too many connections (of all, of
# this user), no login, no right to this database, no such database.
_AWAY = {(2002,), (2003,), (2006,), (_LOST,), (1053,), (1040,), (1203,), (1045,), (1044,), (1049,)}
CONNECT_TIMEOUT_SECONDS = 5
_NOW = func.utc_timestamp(text("6"), type_=DateTime(timezone=True))


@compiles(DateTime, "mysql")
def _date_time(type_: DateTime, compiler: Any, **options: Any) -> str:
    return "DATETIME(6)"


@compiles(Text, "mysql")
def _text(type_: Text, compiler: Any, **options: Any) -> str:
    return "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


@compiles(LargeBinary, "mysql")
def _large_binary(type_: LargeBinary, compiler: Any, **options: Any) -> str:
    return "LONGBLOB"


@compiles(String, "mysql")
def _string(type_: String, compiler: Any, **options: Any) -> str:
    return f"VARCHAR({type_.length or 255}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


class MySQL:
    """READ COMMITTED, because the default takes gap locks that make claims wait for inserts."""

    schemes = ("mysql", "mariadb")
    driver = "mysql+asyncmy"
    strays = False
    deletes_within = False

    def engines(self, url: str) -> tuple[AsyncEngine, AsyncEngine]:
        options: dict[str, Any] = {
            # They are the payloads and the rows, which no log is to hold.
            "hide_parameters": True,
            "connect_args": {
                "charset": "utf8mb4",
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "async_creator_fn": _connect,
            },
        }
        writer = create_async_engine(
            url, pool_size=20, max_overflow=10, isolation_level="READ COMMITTED", **options
        )
        # Connections of its own: to lend it the writer's takes statements before and after each
        # read, and what the driver raises in these is no error that SQLAlchemy makes its own.
        reader = create_async_engine(
            url, pool_size=5, max_overflow=15, isolation_level="AUTOCOMMIT", **options
        )
        for engine in (writer, reader):
            keep_values_out(engine, _QUOTED)
            ping_when_idle(engine)
        # Its warnings are the server's, which quote values as the errors do.
        logging.getLogger("asyncmy").setLevel("ERROR")
        return writer, reader

    def writers_turn(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext()

    def is_away(self, error: DBAPIError) -> bool:
        return error.orig is not None and error.orig.args[:1] in _AWAY

    def is_deadlock(self, error: DBAPIError) -> bool:
        return error.orig is not None and error.orig.args[:1] in _DEADLOCK

    def signals(self, engine: AsyncEngine) -> None:
        return None

    def now(self) -> ColumnElement[datetime]:
        return _NOW

    def later(self, seconds: float) -> ColumnElement[datetime]:
        return func.timestampadd(
            text("MICROSECOND"),
            round(seconds * 1_000_000),
            self.now(),
            type_=DateTime(timezone=True),
        )

    def among(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        # The driver writes parameters into the statement anyway.
        return column.in_(bindparam(name, expanding=True))

    def holds(self, column: ColumnElement[Any], part: str | bytes) -> ColumnElement[bool]:
        return func.instr(column, part) > 0

    async def insert_if_absent(
        self,
        connection: AsyncConnection,
        table: Table,
        row: dict[str, Any],
        times: tuple[str, ...] = (),
    ) -> bool:
        # INSERT IGNORE would also turn every other error of the row into a warning.
        try:
            await connection.execute(_insert(table, times), row)
        except IntegrityError as error:
            if error.orig is None or error.orig.args[0] != _DUPLICATE_KEY:
                raise
            return False
        return True

    async def insert_all(
        self,
        connection: AsyncConnection,
        table: Table,
        rows: Sequence[dict[str, Any]],
        times: Collection[str],
    ) -> None:
        # The driver makes one statement of rows that hold no expression, as the clock's would be.
        now = dict.fromkeys(times, await connection.scalar(select(self.now())))
        await connection.execute(insert(table), [row | now for row in rows])


@cache
def _insert(table: Table, times: tuple[str, ...]) -> Insert:
    # To put the statement together takes as long as to run it.
    return insert(table).values(dict.fromkeys(times, _NOW))


async def _connect(**options: Any) -> asyncmy.Connection:
    """Connect as the driver does, with an error of the driver when the server hangs up."""
    try:
        return await asyncmy.connect(**options)
    except RuntimeError as error:
        # On uvloop a connection that is closed already has no socket for the driver to set up.
        raise asyncmy.OperationalError(_LOST, str(error)) from error
