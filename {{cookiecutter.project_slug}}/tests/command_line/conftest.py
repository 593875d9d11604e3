"""Runs commands as a shell would: with the settings of the environment, on a real database."""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Command = Callable[..., Awaitable[Ended]]


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the tests, for whatever reads them from the environment."""
    for name in (*Settings.model_fields, "columns", "no_color"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SERVICE_NAME", settings.service_name)
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("BROKER_URL", "memory://")


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """A command sends the logs to its own stderr, which is gone when it has ended."""
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers = handlers
    logging.root.setLevel(level)


@pytest.fixture
def command(environment: None, logging_as_before: None) -> Command:
    """Runs `python -m app` with these arguments, in a thread: it has an event loop of its own."""

    async def run(*arguments: str, answer: str = "") -> Ended:
        result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, input=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there to answer."""
    monkeypatch.setattr("app.building_blocks.command_line.changing.is_at_terminal", lambda: True)


def shell_environment(**settings: str) -> dict[str, str]:
    """For a process of its own."""
    return {**os.environ, **settings}
