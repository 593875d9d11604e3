"""Outbox rows, publishers that carry them to a scripted broker, and services on real ones."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import func, insert, select

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.table import outbox, published
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.settings import Settings
from tests.guarantees.brokers import BROKERS, Service
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.mediators import mediator_of

StartPublisher = Callable[..., Awaitable[Publisher]]


@pytest.fixture
def broker() -> ScriptedBroker:
    return ScriptedBroker()


@pytest_asyncio.fixture
async def start_publisher(
    database: Database, broker: ScriptedBroker
) -> AsyncIterator[StartPublisher]:
    """Starts a publisher, as one replica of the service would, until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> Publisher:
            wake_up = options.pop("wake_up", None) or WakeUp()
            claims = Claims(
                database,
                lease=options.pop("lease", 30.0),
                keep_published=options.pop("keep_published", True),
            )
            defaults: dict[str, Any] = {
                "refusals": RetryPolicy(max_retries=2, base_delay=0.01, max_delay=0.05),
                "poll_interval": 0.02,
            }
            publisher = Publisher(
                claims,
                options.pop("broker", broker),
                wake_up,
                Metrics(),
                **(defaults | options),
            )
            await stack.enter_async_context(BackgroundTask("publisher", publisher.run, wake_up))
            return publisher

        yield start


@pytest.fixture(params=BROKERS)
def service(request: pytest.FixtureRequest, settings: Settings, database: Database) -> Service:
    """One on each broker there is."""
    return Service(settings, database, request.param)


@pytest.fixture
def mediator(database: Database) -> Mediator:
    """Knows no command; it opens units of work."""
    return mediator_of(database, Feature("tests"))


async def write_rows(database: Database, *rows: tuple[str | None, str], **columns: Any) -> None:
    """Insert an outbox row for each (key, payload), all in one transaction."""
    async with database.begin() as connection:
        for key, payload in rows:
            await connection.execute(
                insert(outbox).values(
                    message_id=str(uuid4()),
                    topic="tests.happened.v1",
                    key=key,
                    headers={},
                    payload=payload,
                    **columns,
                )
            )


async def count_waiting(database: Database) -> int:
    async with database.reader.connect() as connection:
        rows = select(func.count()).select_from(outbox).where(outbox.c.state == "waiting")
        return await connection.scalar(rows) or 0


async def count_published(database: Database) -> int:
    async with database.reader.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(published)) or 0


async def outbox_row(database: Database, payload: str) -> Any:
    async with database.reader.connect() as connection:
        rows = await connection.execute(select(outbox).where(outbox.c.payload == payload))
        return rows.one_or_none()
