"""PostgreSQL through asyncpg."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Table, func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

CONNECT_TIMEOUT_SECONDS = 5


class PostgreSQL:
    """Each transaction has a connection of its own; reads commit by themselves."""

    schemes = ("postgresql", "postgres")
    driver = "postgresql+asyncpg"

    def engines(self, url: str) -> tuple[AsyncEngine, AsyncEngine]:
        writer = create_async_engine(
            url,
            pool_size=20,
            max_overflow=10,
            pool_pre_ping=True,
            connect_args={"timeout": CONNECT_TIMEOUT_SECONDS},
        )
        return writer, writer.execution_options(isolation_level="AUTOCOMMIT")

    def now(self) -> ColumnElement[datetime]:
        # now() would be the start of the transaction.
        return func.clock_timestamp(type_=DateTime(timezone=True))

    def later(self, seconds: float) -> ColumnElement[datetime]:
        return self.now() + literal(timedelta(seconds=seconds))

    async def insert_if_absent(
        self, connection: AsyncConnection, table: Table, values: dict[str, Any]
    ) -> bool:
        statement = insert(table).values(values).on_conflict_do_nothing()
        result = await connection.execute(statement)
        return result.rowcount == 1
