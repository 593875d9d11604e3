"""A database that is not there or lets nobody in is away, and the service goes on telling so."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from app.database import open_database
from app.main import create_app
from app.settings import Settings
from tests.clients import client_of
from tests.ops.conftest import TOKEN
from tests.unreachable import unusable


async def test_whatever_is_wrong_with_it_it_is_away(settings: Settings, tmp_path: Path) -> None:
    for url in unusable(settings.database_url, tmp_path):
        database = open_database(url)
        with pytest.raises((DBAPIError, OSError)) as caught:
            await database.reader.connect()
        assert database.is_away(caught.value), url
        await database.dispose()


async def test_readiness_says_why_in_a_few_words(settings: Settings, tmp_path: Path) -> None:
    for url in unusable(settings.database_url, tmp_path):
        async with client_of(create_app(settings.model_copy(update={"database_url": url}))) as app:
            answer = await app.get("/health/ready")
        assert answer.status_code == 503
        reason = answer.json()["checks"]["database"]
        assert "\n" not in reason
        assert not any(word in reason for word in ("sqlalche.me", "[SQL", "SELECT"))


async def test_the_operator_pages_say_that_it_is_away(settings: Settings, tmp_path: Path) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for url in unusable(settings.database_url, tmp_path):
        update = {"database_url": url, "ops_token": SecretStr(TOKEN)}
        async with client_of(create_app(settings.model_copy(update=update))) as app:
            answer = await app.get("/ops", headers=bearer)
        assert answer.status_code == 503
        assert "The database cannot be used right now" in answer.text
