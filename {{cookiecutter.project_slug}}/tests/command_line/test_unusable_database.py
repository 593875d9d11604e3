"""A database that cannot be used is told with what to do, and without the password."""

import asyncio
from pathlib import Path

import pytest
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy.engine import make_url

from app.building_blocks.databases.unusable import why_unusable
from tests.command_line.conftest import Command
from tests.migrated import ALEMBIC_INI
from tests.unreachable import PASSWORD, unusable


async def test_every_command_that_needs_it_says_so_in_one_line(
    command: Command, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in unusable(database_url, tmp_path):
        monkeypatch.setenv("DATABASE_URL", url)
        ended = await command("outbox", "status")
        assert (ended.code, ended.out) == (3, "")
        assert_told(ended.err.removesuffix("\n"), url)

        with pytest.raises(SystemExit) as migrating:
            await asyncio.to_thread(alembic.upgrade, Config(ALEMBIC_INI), "head")
        # A text is what Python writes to stderr before it ends with 1.
        assert_told(str(migrating.value.code), url)


def test_no_login_and_no_option_of_the_url_is_shown(database_url: str) -> None:
    url = make_url(database_url).set(username="scott", password=PASSWORD)
    url = url.update_query_dict({"passfile": PASSWORD})
    told = why_unusable(url.render_as_string(hide_password=False), TimeoutError())
    assert told.startswith("The database cannot be used: TimeoutError. Make sure that ")
    assert PASSWORD not in told
    assert "scott" not in told


def assert_told(text: str, url: str) -> None:
    place = f"/{make_url(url).database} is there and lets this service in, or correct DATABASE_URL."
    assert text.startswith("The database cannot be used: ")
    assert text.endswith(place)
    assert "\n" not in text
    assert PASSWORD not in text
