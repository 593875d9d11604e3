"""Plain text for people: tables that fit the terminal, and ages; nothing that a terminal obeys."""

import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from app.building_blocks.operations.times import duration
from app.building_blocks.text import printable

_GAP = "  "
_LEAST = 10


def terminal_width() -> int | None:
    """In characters; None when the output goes to a file or another program."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return None


def table(
    rows: Sequence[Mapping[str, str]], *, width: int | None = None, shrinks: Collection[str] = ()
) -> str:
    """A line for each row below their names; a block for each where `width` is too narrow.

    Columns in `shrinks` are cut first.
    """
    names = list(rows[0])
    lines = [dict(zip(names, names, strict=True)), *(_on_one_line(row) for row in rows)]
    widths = {name: max(cell_len(line[name]) for line in lines) for name in names}
    room = None if width is None else width - len(_GAP) * (len(names) - 1)
    if room is not None:
        _shrink(widths, room, [name for name in names if name in shrinks])
        if sum(widths.values()) > room:
            return "\n\n".join(block(row) for row in rows)
    return "\n".join(
        _GAP.join(_fitted(line[name], widths[name]) for name in names).rstrip() for line in lines
    )


def block(row: Mapping[str, str]) -> str:
    """A line for each value, after its name."""
    longest = max(map(len, row))
    return "\n".join(f"{name:<{longest}}{_GAP}{printable(value)}" for name, value in row.items())


def clock(time: datetime | None) -> str:
    """To the second, in UTC."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def age(seconds: float | None) -> str:
    """In the two largest units that matter."""
    return "-" if seconds is None else duration(seconds)


def _shrink(widths: dict[str, int], room: int, names: Sequence[str]) -> None:
    while sum(widths.values()) > room:
        widest = max(names, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _LEAST:
            return
        widths[widest] -= 1


def _on_one_line(row: Mapping[str, str]) -> dict[str, str]:
    return {name: printable(" ".join(value.split())) for name, value in row.items()}


def _fitted(text: str, width: int) -> str:
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)
