"""Lines that nobody may miss, and traces that only show what happened."""

from collections.abc import Iterator

import pytest
import structlog

from app.building_blocks.databases.database import Database
from app.building_blocks.logs import configure_logs
from app.building_blocks.operations.filters import MessageFilter
from tests.operations.rows import DEAD, actions_of, write
from tests.written import Log, written_log


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    with written_log(capsys) as log:
        yield log


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
async def test_who_did_what_is_told_however_quiet_the_log_is(
    database: Database, log: Log, level: str
) -> None:
    configure_logs(level, "json")
    await write(database, DEAD, {})
    structlog.get_logger("app.features").info("not this")
    await actions_of(database).discard(DEAD, MessageFilter(message_id="m0"), "somebody")
    [line] = log.lines()
    assert (line["event"], line["by"], line["messages"]) == ("messages discarded", "somebody", 1)


def test_a_trace_does_not_drive_the_terminal(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    configure_logs("INFO", "console")
    try:
        raise ValueError("a \x1b[2J message\x07 of\nlines")
    except ValueError:
        structlog.get_logger("app").exception("failed")
    assert "ValueError: a \\x1b[2J message\\x07 of\nlines" in log.text
    assert "\x1b" not in log.text
