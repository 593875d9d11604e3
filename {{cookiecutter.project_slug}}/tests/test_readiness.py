"""Live is the loop that runs; ready is every part that it needs, each with its reason."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.building_blocks.databases.database import Database
from app.building_blocks.http import health
from app.building_blocks.http.health import health_router
from app.main import create_app
from app.settings import Settings
from tests.clients import client_of
from tests.unreachable import unreachable
from tests.waiting import eventually

STOP_DEADLINE = 5.0
TASKS = ("retention", "inbox retrier", "broker connection", "outbox publisher")


async def readiness(client: AsyncClient) -> tuple[int, dict[str, Any]]:
    answer = await client.get("/health/ready")
    return answer.status_code, answer.json()


async def test_a_service_that_runs_is_live_and_becomes_ready(client: AsyncClient) -> None:
    live = await client.get("/health/live")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})

    async def ready() -> bool:
        return (await readiness(client))[0] == 200

    await eventually(ready, what="readiness")
    status, answer = await readiness(client)
    assert (status, answer["status"]) == (200, "ok")
    assert set(answer["checks"]) >= {"database", "broker", *TASKS}
    assert set(answer["checks"].values()) == {"ok"}


async def test_a_service_whose_database_is_away_is_live_and_not_ready(
    settings: Settings, tmp_path: Path
) -> None:
    url = unreachable(settings.database_url, tmp_path)
    app = create_app(settings.model_copy(update={"database_url": url}))
    async with (
        # It also has to stop: nothing may hang on a connection that never comes.
        asyncio.timeout(STOP_DEADLINE),
        app.router.lifespan_context(app),
        client_of(app) as client,
    ):
        assert (await client.get("/health/live")).status_code == 200
        status, answer = await readiness(client)
    assert (status, answer["status"]) == (503, "not ready")
    assert answer["checks"]["database"] not in ("ok", "")


async def test_a_part_that_is_not_running_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, database: Database
) -> None:
    # An app that does not run closes no connection by itself.
    monkeypatch.setattr("app.machinery.open_database", lambda url: database)
    app = create_app(settings)
    async with client_of(app) as client:
        status, answer = await readiness(client)
    assert status == 503
    checks = answer["checks"]
    assert (checks["database"], checks["broker"]) == ("ok", "not connected yet")
    assert {name: checks[name] for name in TASKS} == {
        name: f"{name} is not running" for name in TASKS
    }


async def fine() -> str | None:
    return None


async def away() -> str | None:
    return "the moon is down"


async def broken() -> str | None:
    raise LookupError("no moon")


async def hanging() -> str | None:
    await asyncio.Event().wait()
    return None


@pytest.mark.parametrize(
    ("check", "status", "says"),
    [
        (fine, 200, "ok"),
        (away, 503, "the moon is down"),
        (broken, 503, "LookupError: no moon"),
        (hanging, 503, "no answer within 0.05 s"),
    ],
)
async def test_each_check_is_told_by_name_whatever_the_others_do(
    monkeypatch: pytest.MonkeyPatch,
    check: Callable[[], Awaitable[str | None]],
    status: int,
    says: str,
) -> None:
    monkeypatch.setattr(health, "_LONGEST_CHECK_SECONDS", 0.05)
    app = FastAPI()
    app.include_router(health_router({"sun": fine, "moon": check}))
    async with client_of(app) as client:
        answer = await readiness(client)
    overall = "ok" if status == 200 else "not ready"
    assert answer == (status, {"status": overall, "checks": {"sun": "ok", "moon": says}})
