"""The service starts, or says in sentences what keeps it from starting."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.building_blocks.databases.migrations import Migrations
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.feature import Feature
from app.database import open_database
from app.main import create_app
from app.settings import Settings
from tests.scratch_database import scratch_database
from tests.unreachable import unreachable

DEADLINE = 30.0

Heard = MutableMapping[str, Any]


async def lifespan(app: Any, heard: list[Heard], *messages: str) -> None:
    """Send `messages` over the ASGI lifespan protocol, as a server does, and note the answers."""
    waiting = iter(messages)
    answered = asyncio.Event()
    answered.set()

    async def receive() -> Heard:
        await answered.wait()
        answered.clear()
        return {"type": next(waiting)}

    async def send(message: Heard) -> None:
        heard.append(message)
        answered.set()

    async with asyncio.timeout(DEADLINE):
        await app({"type": "lifespan", "state": {}}, receive, send)


async def test_a_service_that_can_start_starts_and_stops(settings: Settings) -> None:
    heard: list[Heard] = []
    await lifespan(create_app(settings), heard, "lifespan.startup", "lifespan.shutdown")
    assert [message["type"] for message in heard] == [
        "lifespan.startup.complete", "lifespan.shutdown.complete",
    ]  # fmt: skip


async def test_a_database_that_was_not_migrated_is_told_with_the_command_to_run(
    settings: Settings, tmp_path: Path
) -> None:
    heard: list[Heard] = []
    async with scratch_database(tmp_path) as url:
        app = create_app(settings.model_copy(update={"database_url": url}))
        with pytest.raises(ConfigurationError):
            await lifespan(app, heard, "lifespan.startup")

    [failure] = heard
    assert failure["type"] == "lifespan.startup.failed"
    assert failure["message"].startswith("The database has not been migrated, and ")
    assert failure["message"].endswith(". Run: alembic upgrade head")
    assert "\n" not in failure["message"]


async def test_a_database_that_is_ahead_serves_the_version_that_is_being_replaced(
    settings: Settings,
) -> None:
    database = open_database(settings.database_url)

    async def move_to(revision: str) -> str:
        async with database.begin() as connection:
            before = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            move = text("UPDATE alembic_version SET version_num = :revision")
            await connection.execute(move, {"revision": revision})
        return str(before)

    current = await move_to("of-the-next-version")
    try:
        assert await Migrations(database).problem() is None
    finally:
        await move_to(current)
        await database.dispose()


async def test_a_database_that_is_away_does_not_keep_the_service_from_starting(
    settings: Settings, tmp_path: Path
) -> None:
    url = unreachable(settings.database_url, tmp_path)
    app = create_app(settings.model_copy(update={"database_url": url}))
    heard: list[Heard] = []
    await lifespan(app, heard, "lifespan.startup", "lifespan.shutdown")
    assert [message["type"] for message in heard] == [
        "lifespan.startup.complete", "lifespan.shutdown.complete",
    ]  # fmt: skip


def test_a_mistake_of_wiring_keeps_the_service_from_starting(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="2 features are called 'twins'"):
        create_app(settings, [Feature("twins"), Feature("twins")])


def refusal(settings: Settings, **urls: str) -> str:
    """The one sentence that such URLs are refused with."""
    with pytest.raises(ConfigurationError) as refused:
        create_app(settings.model_copy(update=urls))
    [problem] = refused.value.problems
    return problem


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("oracle://host/db", "DATABASE_URL starts with oracle://, but this service was generated"),
        ("no url at all", "DATABASE_URL is not a URL; this service was generated for "),
        ("", "DATABASE_URL is not a URL; this service was generated for "),
    ],
)
def test_a_database_of_another_kind_is_refused(settings: Settings, url: str, sentence: str) -> None:
    assert refusal(settings, database_url=url).startswith(sentence)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("carrier-pigeon://loft", "BROKER_URL starts with carrier-pigeon://, but this service was"),
        ("no url at all", "BROKER_URL "),
        ("//[", "BROKER_URL cannot be used ("),
    ],
)
def test_a_broker_of_another_kind_is_refused(settings: Settings, url: str, sentence: str) -> None:
    problem = refusal(settings, broker_url=url)
    assert problem.startswith(sentence)
    assert "memory://" in problem


def test_a_password_in_a_url_is_not_told(settings: Settings) -> None:
    for name in ("database_url", "broker_url"):
        assert "tiger" not in refusal(settings, **{name: "oracle://scott:tiger@host/db"})
