"""A picture of the ratios."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.progress import say

BETTER, WORSE, LINE = "#2a7f62", "#b5523b", "#444444"
INCHES_A_BAR = 0.32


def draw(path: Path, figures: Sequence[Figure], machine: Mapping[str, str]) -> bool:
    """Write the PNG, rates to the left, times and sizes to the right; whether that could be."""
    compared = [figure for figure in figures if figure.ratio is not None]
    sides = [
        ("more is better", [figure for figure in compared if not figure.less]),
        ("less is better", [figure for figure in compared if figure.less]),
    ]
    sides = [side for side in sides if side[1]]
    if not sides:
        return False
    try:
        import matplotlib as mpl
    except ImportError:
        say("matplotlib is not installed here: there is no picture")
        return False
    mpl.use("Agg")
    from matplotlib import pyplot

    bars = max(len(drawn) for _, drawn in sides)
    figure, axes = pyplot.subplots(
        1, len(sides), figsize=(9 * len(sides), 1.6 + INCHES_A_BAR * bars), squeeze=False
    )
    for axis, (title, drawn) in zip(axes[0], sides, strict=True):
        _side(axis, title, drawn)
    figure.suptitle("This template to what it is compared with; the line is 1", fontsize=11)
    told = f"{machine['date']}, {machine['machine']}, Python {machine['python']}"
    figure.text(0.5, 0.005, f"{told}, {machine['command']}", ha="center", fontsize=7)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return True


def _side(axis: Any, title: str, drawn: Sequence[Figure]) -> None:
    for place, figure in enumerate(drawn):
        ratio = figure.ratio or 0.0
        colour = BETTER if (ratio <= 1) == figure.less else WORSE
        axis.barh(place, ratio - 1, left=1, color=colour)
        axis.plot([min(figure.ratios), max(figure.ratios)], [place, place], color=LINE, linewidth=1)
        end = max(1, *figure.ratios)
        axis.annotate(f"  {ratio:.2f}", (end, place), va="center", fontsize=8)
    labels = [f"{each.measure}: {each.where}\nto {each.against}" for each in drawn]
    axis.set_yticks(range(len(drawn)), labels, fontsize=6)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("{x:g}")
    axis.axvline(1, color=LINE, linewidth=1)
    axis.set_title(title, fontsize=9)
    axis.invert_yaxis()
    axis.margins(x=0.15)
