"""A database that lives as long as the test run, on the server of TEST_DATABASE_URL."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from app.settings import load_settings
from tests.servers import require_server


@asynccontextmanager
async def scratch_database(folder: Path) -> AsyncIterator[str]:
    """The URL of an empty database; gone after the block."""
    url = make_url(os.environ.get("TEST_DATABASE_URL") or load_settings().database_url)
    name = f"test_{uuid4().hex[:12]}"
    server = url.set(drivername="postgresql+asyncpg", database="postgres")
    require_server("PostgreSQL", server.host, server.port or 5432, "database")
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await engine.dispose()
