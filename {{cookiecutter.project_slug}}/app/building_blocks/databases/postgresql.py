"""PostgreSQL through asyncpg."""

import re
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Table,
    any_,
    bindparam,
    func,
    literal,
    text,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.building_blocks.databases.liveness import ping_when_idle
from app.building_blocks.databases.quoted_values import keep_values_out
from app.building_blocks.wake_up import WakeUp

CONNECT_TIMEOUT_SECONDS = 5
LIVENESS_CHECK_SECONDS = 5
CHANNEL = "outbox_rows_wait"
# The server's DETAIL, its words about a value, and the driver's about a parameter.
_QUOTED = re.compile(
    r"\nDETAIL:.*"
    r"|(?<=: )\".*\"(?=$|\nDETAIL:)"
    r"|(?<=value )\".*\"(?= is out of range | for )"
    r"|(?<=query argument \$\d: ).*|(?<=query argument \$\d\d: ).*",
    re.DOTALL,
)
# A lost connection, no login, no such database, no connection left, a server that stops or starts.
_AWAY = ("08", "28", "3D", "53300", "57P0")
# now() would be the start of the transaction, and clock_timestamp() uses no index.
_NOW = func.statement_timestamp(type_=DateTime(timezone=True))


class PostgreSQL:
    """Each transaction has a connection of its own; reads commit by themselves."""

    schemes = ("postgresql", "postgres")
    driver = "postgresql+asyncpg"
    strays = True
    deletes_within = True

    def engines(self, url: str) -> tuple[AsyncEngine, AsyncEngine]:
        parts = make_url(url)
        # What libpq calls sslmode, and most URLs name, the driver calls ssl.
        tls = {"ssl": parts.query["sslmode"]} if "sslmode" in parts.query else {}
        writer = create_async_engine(
            parts.difference_update_query(["sslmode"]),
            pool_size=20,
            max_overflow=10,
            # They are the payloads and the rows, which no log is to hold.
            hide_parameters=True,
            connect_args={"timeout": CONNECT_TIMEOUT_SECONDS, **tls},
        )
        keep_values_out(writer, _QUOTED)
        ping_when_idle(writer)
        return writer, writer.execution_options(isolation_level="AUTOCOMMIT")

    def writers_turn(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext()

    def is_away(self, error: DBAPIError) -> bool:
        return str(getattr(error.orig, "sqlstate", None) or "").startswith(_AWAY)

    def is_deadlock(self, error: DBAPIError) -> bool:
        return getattr(error.orig, "sqlstate", None) in ("40001", "40P01")

    def signals(self, engine: AsyncEngine) -> "ListenNotify":
        return ListenNotify(engine)

    def now(self) -> ColumnElement[datetime]:
        return _NOW

    def later(self, seconds: float) -> ColumnElement[datetime]:
        return self.now() + literal(timedelta(seconds=seconds))

    def among(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        return column == any_(bindparam(name, type_=ARRAY(column.type)))

    def holds(self, column: ColumnElement[Any], part: str | bytes) -> ColumnElement[bool]:
        # The plain name has a syntax of its own.
        return func.pg_catalog.position(column, part) > 0

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


class ListenNotify:
    """LISTEN and NOTIFY, on one connection that is kept for listening.

    NOTIFY runs in a transaction of its own after the commit: inside the business transaction it
    would take a lock that all commits share.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def listen(self, wake: Callable[[], None], closing: WakeUp) -> None:
        async with self._engine.connect() as connection:
            try:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await driver.add_listener(CHANNEL, lambda *_: wake())
                # What was signalled while nobody listened.
                wake()
                while not closing.closed:
                    await driver.execute("SELECT 1", timeout=CONNECT_TIMEOUT_SECONDS)
                    await closing.rest(LIVENESS_CHECK_SECONDS)
            finally:
                # It must not go back to the pool as a connection that listens.
                await connection.invalidate()

    async def send(self) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(text(f"NOTIFY {CHANNEL}"))
