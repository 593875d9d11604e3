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
from app.building_blocks.retry_policy import RetryPolicy
from app.database import open_database
from app.main import create_app
from app.settings import Settings, load_settings
from tests.scratch_database import scratch_database
from tests.unreachable import unreachable

DEADLINE = 30.0

Heard = MutableMapping[str, Any]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    """Nothing but what a test sets: no `.env` and nothing of the caller's environment."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SERVICE_NAME", "test-service")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("BROKER_URL", "memory://")


def problems() -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    return refused.value.problems


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


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("oracle://host/db", "DATABASE_URL starts with oracle://, but this service was generated"),
        ("no url at all", "DATABASE_URL is not a URL; this service was generated for "),
        ("", "DATABASE_URL is not a URL; this service was generated for "),
    ],
)
def test_a_database_of_another_kind_is_refused(settings: Settings, url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        create_app(settings.model_copy(update={"database_url": url}))
    [problem] = refused.value.problems
    assert problem.startswith(sentence)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("carrier-pigeon://loft", "BROKER_URL starts with carrier-pigeon://, but this service was"),
        ("no url at all", "BROKER_URL "),
        ("//[", "BROKER_URL cannot be used ("),
    ],
)
def test_a_broker_of_another_kind_is_refused(settings: Settings, url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        create_app(settings.model_copy(update={"broker_url": url}))
    [problem] = refused.value.problems
    assert problem.startswith(sentence)
    assert "memory://" in problem


def test_a_password_in_a_url_is_not_told(settings: Settings) -> None:
    for name in ("database_url", "broker_url"):
        with pytest.raises(ConfigurationError) as refused:
            create_app(settings.model_copy(update={name: "oracle://scott:tiger@host/db"}))
        assert "tiger" not in str(refused.value)


BAD = [
    ("SERVICE_NAME", "My Service"),
    ("SERVICE_NAME", "x" * 51),
    ("OUTBOX_PUBLISHER_ENABLED", "perhaps"),
    ("OUTBOX_POLL_INTERVAL", "0"),
    ("OUTBOX_POLL_INTERVAL", "nan"),
    ("OUTBOX_POLL_INTERVAL", "inf"),
    ("OUTBOX_BATCH_SIZE", "0"),
    ("OUTBOX_BATCH_SIZE", "1001"),
    ("OUTBOX_RETENTION_HOURS", "-1"),
    ("OUTBOX_RETENTION_HOURS", "inf"),
    ("RETRY_MAX_RETRIES", "-1"),
    ("RETRY_MAX_RETRIES", "ten"),
    ("RETRY_MAX_RETRIES", "1.5"),
    ("RETRY_BASE_DELAY", "0"),
    ("RETRY_MAX_DELAY", "-1"),
    ("RETRY_MAX_DELAY", "inf"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    [problem] = problems()
    assert problem.startswith(f"{name}='{value}' cannot be used: ")
    assert problem.endswith(".")
    assert "\n" not in problem


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RETRY_MAX_RETRIES", "-1"), ("LOG_LEVEL", "LOUD"), ("SERVICE_NAME", "é")):
        monkeypatch.setenv(name, value)
    assert [problem.partition("=")[0] for problem in problems()] == [
        "SERVICE_NAME", "RETRY_MAX_RETRIES", "LOG_LEVEL",
    ]  # fmt: skip


def test_urls_of_another_kind_are_told_with_all_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "oracle://scott:tiger@host/db")
    monkeypatch.setenv("BROKER_URL", "carrier-pigeon://scott:tiger@loft")
    monkeypatch.setenv("RETRY_MAX_RETRIES", "-1")
    database, broker, retries = problems()
    assert database.startswith("DATABASE_URL starts with oracle://, ")
    assert broker.startswith("BROKER_URL starts with carrier-pigeon://, ")
    assert retries.startswith("RETRY_MAX_RETRIES='-1' cannot be used: ")
    assert "tiger" not in database + broker


def test_delays_that_contradict_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_BASE_DELAY", "10")
    monkeypatch.setenv("RETRY_MAX_DELAY", "5")
    assert problems() == ("RETRY_MAX_DELAY must not be less than RETRY_BASE_DELAY.",)


def test_what_is_not_set_has_a_default() -> None:
    settings = load_settings()
    assert settings.retry_policy == RetryPolicy(max_retries=10, base_delay=1.0, max_delay=300.0)
    assert settings.outbox_publisher_enabled
    assert (settings.outbox_poll_interval, settings.outbox_retention_hours) == (1.0, 24.0)


def test_the_environment_comes_before_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("RETRY_MAX_RETRIES=3\nLOG_LEVEL=ERROR\nUNKNOWN=1\n")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    settings = load_settings()
    assert (settings.retry_max_retries, settings.log_level) == (3, "WARNING")


def test_a_setting_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_MAX_RETRIES", "")
    assert load_settings().retry_max_retries == 10


def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_TOKEN", "hunter2-hunter2-hunter2")
    assert "hunter2" not in repr(load_settings())


@pytest.mark.parametrize("token", ["hunter2", "fifteen-letters", " " * 20, "short" + " " * 20])
def test_a_token_that_can_be_guessed_is_refused_and_not_told(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("OPS_TOKEN", token)
    [problem] = problems()
    assert problem.startswith("OPS_TOKEN has fewer than 16 characters: ")
    assert token.strip() == "" or token not in problem
