"""What waits is told quickly, and the counters also when the database is away."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.database import Database
from app.building_blocks.http import metrics as endpoint
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.backlog import Backlog
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.table import outbox
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.main import create_app
from app.settings import Settings
from tests.clients import client_of, serving
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.metrics.scraping import CREATED, scrape, value
from tests.unreachable import unreachable
from tests.waiting import eventually


async def test_what_waits_is_counted_up_to_a_limit_and_has_an_age(
    settings: Settings, database: Database
) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    rows = [
        {"message_id": str(uuid4()), "topic": "t.v1", "payload": "{}", "created_at": an_hour_ago}
        for _ in range(10_005)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(outbox), rows)
    quiet = settings.model_copy(update={"outbox_publisher_enabled": False})
    async with serving(create_app(quiet)) as client:
        samples = await scrape(client)
    assert value(samples, "backlog_rows", "outbox", "waiting") == 10_000
    assert 3590 < value(samples, "backlog_oldest_seconds", "outbox", "waiting") < 3900
    assert value(samples, "backlog_oldest_seconds", "outbox", "dead") == 0
    assert value(samples, "database_up") == 1
    assert value(samples, "publisher_state") == 0


async def test_the_counters_are_served_while_the_database_is_away(
    settings: Settings, tmp_path: Path
) -> None:
    url = unreachable(settings.database_url, tmp_path)
    app = create_app(settings.model_copy(update={"database_url": url}))
    async with client_of(app) as client:
        samples = await scrape(client)
    assert value(samples, "events_published_total", CREATED) == 0
    assert value(samples, "database_up") == 0
    assert not [name for name, _ in samples if name.startswith("backlog_")]


async def test_a_database_that_does_not_answer_holds_no_scrape_up(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(database: Database, *, only_open: bool) -> list[Backlog]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(endpoint, "backlogs", hang)
    monkeypatch.setattr(endpoint, "_LONGEST_LOOK_SECONDS", 0.05)
    app = create_app(settings)
    async with client_of(app) as client:
        started = time.monotonic()
        samples = await scrape(client)
    assert time.monotonic() - started < 2
    assert value(samples, "database_up") == 0


async def test_the_publishers_state_follows_its_broker(database: Database) -> None:
    metrics, broker, wake_up = Metrics(), ScriptedBroker(), WakeUp()

    def state() -> float | None:
        return metrics.registry.get_sample_value("publisher_state")

    def at(number: float) -> Any:
        async def is_at() -> bool:
            return state() == number

        return is_at

    publisher = Publisher(
        Claims(database), broker, wake_up, metrics, refusals=RetryPolicy(), poll_interval=0.02
    )
    assert state() == 0
    async with BackgroundTask("publisher", publisher.run, wake_up):
        await eventually(at(1), what="a publisher that publishes")
        broker.is_away = True
        async with database.begin() as connection:
            row = {"message_id": str(uuid4()), "topic": "t.v1", "payload": "{}"}
            await connection.execute(insert(outbox), [row])
        await eventually(at(0), what="a publisher that pauses")
        broker.is_away = False
        await eventually(at(1), what="a publisher that publishes again")
    assert state() == 0
