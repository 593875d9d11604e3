"""What the service wrote to its log."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Log:
    """What is written to stderr."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """Those that are about one of `events`; all of them without any."""
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if not events or line["event"] in events]


@contextmanager
def written_log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    """Afterwards the loggers are as they were."""
    root, app = logging.root, logging.getLogger("app")
    handlers, root_level, app_level = root.handlers, root.level, app.level
    yield Log(capsys)
    root.handlers = handlers
    root.setLevel(root_level)
    app.setLevel(app_level)
    logging.captureWarnings(False)
