"""Readiness tells of an outbox that stands still; nothing slow keeps the service from its start."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import delete

from app.building_blocks.databases import migrations
from app.building_blocks.databases.database import Database
from app.building_blocks.databases.migrations import Migrations
from app.building_blocks.operations.backlog_age import BacklogAge
from app.building_blocks.outbox.table import DEAD, outbox
from app.main import create_app
from app.settings import Settings
from tests.guarantees.conftest import write_rows

LIMIT = 300.0


async def ago(database: Database, seconds: float) -> datetime:
    async with database.reader.connect() as connection:
        return await database.now(connection) - timedelta(seconds=seconds)


async def write(database: Database, key: str | None = None, **columns: Any) -> None:
    await write_rows(database, (key, "{}"), **columns)


async def test_an_outbox_that_stands_still_is_not_ready_and_says_for_how_long(
    settings: Settings, database: Database
) -> None:
    await write(database, created_at=await ago(database, 400))
    alone = settings.model_copy(update={"outbox_publisher_enabled": False})
    app = create_app(alone)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        answer = await client.get("/health/ready")
        assert (await client.get("/health/live")).status_code == 200
    assert answer.status_code == 503
    reason = answer.json()["checks"]["backlog"]
    assert reason.startswith("an event waits for 40")
    assert reason.endswith("s to be published, and the limit is 300 s")


async def test_what_is_young_enough_is_no_reason(database: Database) -> None:
    await write(database, created_at=await ago(database, 200))
    assert await BacklogAge(database, LIMIT).check() is None


async def test_what_cannot_go_out_now_does_not_count(database: Database) -> None:
    old, soon = await ago(database, 4000), await ago(database, -4000)
    await write(database, created_at=old, available_at=soon)
    await write(database, created_at=old, state=DEAD)
    await write(database, created_at=old, claimed_until=soon)
    # Refused once, to be tried later; the next of its key waits for it.
    await write(database, "k", created_at=old, available_at=soon, attempts=1)
    await write(database, "k", created_at=old)
    # Its delay has just ended.
    await write(database, created_at=old, available_at=await ago(database, 1))
    assert await BacklogAge(database, LIMIT).check() is None


async def test_a_delay_counts_from_its_end(database: Database) -> None:
    await write(
        database, created_at=await ago(database, 4000), available_at=await ago(database, 400)
    )
    assert "an event waits for 40" in (await BacklogAge(database, LIMIT).check() or "")


async def test_an_old_backlog_that_is_worked_off_is_no_reason(database: Database) -> None:
    age = BacklogAge(database, LIMIT)
    for _ in range(3):
        await write(database, created_at=await ago(database, 400))
    assert await age.check()
    async with database.begin() as connection:
        oldest = outbox.select().order_by(outbox.c.position).limit(1)
        [row] = await connection.execute(oldest)
        await connection.execute(delete(outbox).where(outbox.c.position == row.position))
    assert await age.check() is None
    assert await age.check() is None
    # A process that begins to look sees no movement yet.
    assert await BacklogAge(database, LIMIT).check()


async def test_the_age_of_the_backlog_can_be_ignored(database: Database) -> None:
    await write(database, created_at=await ago(database, 4000))
    assert await BacklogAge(database, 0).check() is None


async def test_a_database_that_does_not_answer_holds_up_no_probe(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Migrations) -> str | None:
        await asyncio.Event().wait()
        return None

    monkeypatch.setattr(Migrations, "problem", never)
    monkeypatch.setattr(migrations, "_LONGEST_LOOK_SECONDS", 0.05)
    app = create_app(settings)
    async with (
        asyncio.timeout(5),
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        assert (await client.get("/health/live")).status_code == 200
