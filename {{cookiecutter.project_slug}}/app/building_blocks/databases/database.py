"""The service's database: where its transactions and its reads begin."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from socket import gaierror
from typing import TypeVar

import stamina
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from app.building_blocks.databases.dialect import Dialect, Signals
from app.building_blocks.databases.errors_met import error_met, remember_errors
from app.building_blocks.errors import BusyError, ConfigurationError

T = TypeVar("T")


class Database:
    """Opens transactions and reads on one database. No session outlives its block."""

    def __init__(self, dialect: Dialect, url: str) -> None:
        self.dialect = dialect
        self.url = async_url(dialect, url)
        self.writer, self.reader = dialect.engines(self.url)
        remember_errors(self.writer)
        self._writers_turn = dialect.writers_turn()

    @property
    def signals(self) -> Signals | None:
        """The database's own way to wake publishers in other processes, if it has one."""
        return self.dialect.signals(self.reader)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction, for the machinery's own tables."""
        async with self._writers_turn, self.writer.begin() as connection:
            yield connection

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do `work` in a transaction, and again if it was the victim of a deadlock."""
        async for attempt in stamina.retry_context(
            on=self.is_deadlock, attempts=10, timeout=None, wait_initial=0.01, wait_max=0.5
        ):
            with attempt:
                async with self.begin() as connection:
                    result = await work(connection)
        return result

    @asynccontextmanager
    async def transaction(self, kind: type[Session] = Session) -> AsyncIterator[AsyncSession]:
        """A session in a transaction: committed at the end of the block, or rolled back."""
        async with (
            self._writers_turn,
            AsyncSession(self.writer, sync_session_class=kind, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    async def require_alive(self, connection: AsyncConnection) -> None:
        """Raise what has ended the transaction of `connection`, if somebody swallowed that."""
        error = error_met(connection)
        if error is None:
            return
        if self.is_deadlock(error):
            raise error
        # It depends on the database whether the transaction survived.
        await connection.execute(select(1))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session without a transaction: each statement sees what is committed by then."""
        async with AsyncSession(self.reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    async def now(self, connection: AsyncConnection) -> datetime:
        """What the database's clock shows, in UTC."""
        time: datetime = (await connection.scalars(select(self.dialect.now()))).one()
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    def is_deadlock(self, error: Exception) -> bool:
        """Whether the same transaction may well succeed when it is run again."""
        return isinstance(error, DBAPIError) and self.dialect.is_deadlock(error)

    def is_away(self, error: BaseException) -> bool:
        """Whether `error` says that the database cannot be used now, and not what is wrong."""
        if isinstance(error, DBAPIError):
            return error.connection_invalidated or self.dialect.is_away(error)
        return isinstance(error, ConnectionError | gaierror | PoolTimeoutError | BusyError)

    async def dispose(self) -> None:
        await self.writer.dispose()
        await self.reader.dispose()


def async_url(dialect: Dialect, url: str) -> str:
    """`url` with the driver that the service uses. Raises ConfigurationError."""
    accepted = ", ".join(f"{scheme}://" for scheme in dialect.schemes)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            f"DATABASE_URL is not a URL; this service was generated for {accepted}."
        ) from None
    if parsed.get_backend_name() not in dialect.schemes:
        raise ConfigurationError(
            f"DATABASE_URL starts with {parsed.drivername}://, "
            f"but this service was generated for {accepted}."
        )
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise ConfigurationError(f"DATABASE_URL names port {parsed.port}; ports end at 65535.")
    if parsed.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "DATABASE_URL names no database that lasts: its path is the file or the name to use."
        )
    return parsed.set(drivername=dialect.driver).render_as_string(hide_password=False)
