"""What people read fits their terminal and says times and ages as they do."""

from datetime import timedelta

import pytest

from app.building_blocks.command_line.options import duration, moment
from app.building_blocks.command_line.tables import age, table
from app.building_blocks.databases.database import Database
from app.building_blocks.text import printable
from tests.command_line.conftest import Command
from tests.operations.rows import DEAD, at, write

ROWS = [
    {"id": "0198f3a2", "topic": "orders.order-created.v1", "error": "ValueError: not\ntoday " * 3},
    {"id": "0198f3a3", "topic": "größe 🚀", "error": ""},
]


def test_a_table_without_a_terminal_is_cut_nowhere() -> None:
    head, first, second = table(ROWS, shrinks=("error",)).splitlines()
    assert head == "id        topic                    error"
    assert first == "0198f3a2  orders.order-created.v1  " + " ".join(["ValueError: not today"] * 3)
    assert second == "0198f3a3  größe 🚀"


@pytest.mark.parametrize("width", [44, 60, 80])
def test_a_table_fits_its_terminal(width: int) -> None:
    lines = table(ROWS, width=width, shrinks=("topic", "error")).splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= width
    assert lines[1].startswith("0198f3a2  ")
    assert lines[1].endswith("…")


def test_on_a_narrow_terminal_each_row_is_a_block() -> None:
    text = table(ROWS, width=20, shrinks=("topic", "error"))
    assert len(text.split("\n\n")) == 2
    assert "id     0198f3a2\ntopic  orders.order-created.v1\n" in text


async def test_a_list_fits_a_narrow_terminal(
    database: Database, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, DEAD, {"last_error": "x" * 300})
    for columns in ("140", "30"):
        monkeypatch.setenv("COLUMNS", columns)
        ended = await command("inbox", "list", "--state", "dead")
        assert ended.code == 0
        assert "m0" in ended.out
    monkeypatch.setenv("COLUMNS", "140")
    ended = await command("inbox", "list", "--state", "dead")
    assert max(map(len, ended.out.splitlines())) <= 140


def test_what_a_terminal_would_obey_is_spelled_out() -> None:
    assert printable("a\x1b[31m\x07\r\u202e\x9b\nb") == "a\\x1b[31m\\x07\\r\\u202e\\x9b\nb"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "-"), (0, "0 s"), (0.4, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"),
        (3600, "1 h"), (3661, "1 h 1 min"), (86400 * 3 + 7200 + 59, "3 d 2 h"),
    ],
)  # fmt: skip
def test_an_age_has_two_units_at_most(seconds: float | None, told: str) -> None:
    assert age(seconds) == told


@pytest.mark.parametrize(
    "text",
    ["2026-01-01", "2026-01-01T00:00", "2026-01-01 00:00:00Z", "2026-01-01T02:00+02:00"],
)
def test_a_time_is_in_utc_unless_it_says_otherwise(text: str) -> None:
    assert moment(text) == at(0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1.5h", 5400), ("15m", 900), (" 7d ", 7 * 86400)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)
