"""The service with its operator pages on, rows for them to show, and visitors."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy import insert

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.outbox.table import outbox, published
from app.features import FEATURES
from app.main import create_app
from app.settings import Settings
from tests.clients import disconnect

TOKEN = "correct-horse-battery-staple"
NOW = datetime(2030, 1, 2, 12, 0, tzinfo=UTC)
TOPIC = "orders.order-created.v1"
CONSUMER = "test-service.payments.when_order_created"

Insert = Callable[..., Awaitable[None]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing is published or retried behind the back of a test."""
    update = {"ops_token": SecretStr(TOKEN), "outbox_publisher_enabled": False}
    return settings.model_copy(update=update)


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    """Without its background tasks: the pages need no more than the database."""
    return create_app(settings, FEATURES)


@pytest_asyncio.fixture
async def stranger(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Somebody with a browser, who has not logged in."""
    async with visitor(app) as client:
        yield client
    await disconnect(app)


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Somebody with a browser, who has."""
    async with visitor(app) as client:
        answer = await client.post("/ops/login", data={"token": TOKEN})
        assert answer.status_code == 303
        yield client
    await disconnect(app)


@pytest.fixture
def insert_inbox(database: Database) -> Insert:
    """Insert an inbox row; what is not given is that of a dead letter."""

    async def write(message_id: str, **columns: Any) -> None:
        row = {
            "message_id": message_id,
            "consumer": CONSUMER,
            "topic": TOPIC,
            "key": "k",
            "correlation_id": message_id,
            "headers": {},
            "payload": b'{"customer": "ada"}',
            "state": "dead",
            "attempts": 11,
            "received_at": NOW - timedelta(minutes=5),
            "handled_at": NOW,
            "last_error": "TimeoutError: no answer",
        }
        async with database.begin() as connection:
            await connection.execute(insert(inbox).values(row | columns))

    return write


@pytest.fixture
def insert_outbox(database: Database) -> Insert:
    """Insert a row that waits, or one that is `published`."""

    async def write(message_id: str, *, is_published: bool = False, **columns: Any) -> None:
        row = {
            "message_id": message_id,
            "topic": TOPIC,
            "key": "k",
            "correlation_id": message_id,
            "headers": {},
            "payload": '{"customer": "ada"}',
            "created_at": NOW,
            "attempts": 0,
        }
        table = published if is_published else outbox
        row |= {"published_at": NOW} if is_published else {}
        async with database.begin() as connection:
            await connection.execute(insert(table).values(row | columns))

    return write


def visitor(app: FastAPI, base_url: str = "http://test", **options: Any) -> AsyncClient:
    """A browser; it says that it takes HTML, and is led nowhere by itself."""
    transport = ASGITransport(app, client=(options.pop("address", "192.0.2.1"), 50000))
    headers = {"accept": "text/html"} | options.pop("headers", {})
    return AsyncClient(transport=transport, base_url=base_url, headers=headers, **options)
