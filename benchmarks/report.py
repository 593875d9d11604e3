"""The table of all figures: on the screen, as Markdown, as JSON."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Figure

HEAD = ["measure", "where", "this template", "compared with", "that", "ratio"]
READ = (
    "Figures are medians. A ratio is this template to the other, the median of pairs of runs "
    "made one after the other, with the least and the most of them. Absolute figures move "
    "with the machine, ratios much less. Kafka is librdkafka's mock cluster, unless KAFKA_SERVER "
    "names another."
)
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def on_screen(figures: Sequence[Figure]) -> str:
    """Columns of even width; the head is bold on a terminal, unless NO_COLOR is set."""
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        lines[0] = f"{BOLD}{lines[0]}{PLAIN}"
    return "\n".join(lines)


def as_markdown(figures: Sequence[Figure], notes: Sequence[str], machine: Mapping[str, str]) -> str:
    """A page with the machine, the table and what was left out."""
    told = [
        f"- {name}: {f'`{text}`' if name == 'command' else text}" for name, text in machine.items()
    ]
    rows = [HEAD, ["---"] * len(HEAD), *(figure.cells() for figure in figures)]
    table = [f"| {' | '.join(row)} |" for row in rows]
    left_out = ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join(["# Benchmarks", "", *told, "", *table, "", READ, *left_out, ""])


def write(
    folder: Path, figures: Sequence[Figure], notes: Sequence[str], machine: Mapping[str, str]
) -> None:
    """Write results.md and results.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(as_markdown(figures, notes, machine), "utf-8")
    everything = {
        "machine": dict(machine),
        "notes": list(notes),
        "figures": [figure.as_json() for figure in figures],
    }
    (folder / "results.json").write_text(json.dumps(everything, indent=2) + "\n", "utf-8")
