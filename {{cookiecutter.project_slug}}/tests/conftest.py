"""What every test may ask for: settings, a migrated database, an app that runs, a client."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlmodel import SQLModel

from app.building_blocks.databases.database import Database
from app.database import open_database
from app.main import create_app
from app.settings import Settings
from tests.migrated import why_not_migrated
from tests.scratch_database import scratch_database

PROJECT = Path(__file__).parents[1]


def pytest_collection_finish() -> None:
    """What was imported stays: to look through it for garbage again and again takes a tenth."""
    gc.freeze()


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database with every migration applied, made once for the whole run."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        folder = tmp_path_factory.mktemp("database")
        url = runner.run(stack.enter_async_context(scratch_database(folder)))
        try:
            if wrong := why_not_migrated(url):
                # Each test would only tell it again.
                pytest.exit(wrong, returncode=1)
            yield url
        finally:
            runner.run(stack.aclose())


@pytest.fixture(scope="session")
def settings(database_url: str) -> Settings:
    """The service as it is tested: a database of its own, no broker, quick retries."""
    return Settings(
        service_name="test-service",
        database_url=database_url,
        broker_url="memory://",
        retry_base_delay=0.01,
        retry_max_delay=0.1,
        outbox_poll_interval=0.1,
        log_level="WARNING",
    )


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The migrated database, empty when the test begins."""
    database = open_database(settings.database_url)
    async with database.begin() as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            await connection.execute(table.delete())
    yield database
    await database.dispose()


@pytest_asyncio.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The whole service with its background tasks, on an empty database."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Speaks HTTP to `app` without a network."""
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client
