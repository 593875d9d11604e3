"""Boxes and curves: what the templates turn into SVG."""

from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A small line over a large one; `css` names its classes. Lengths are in SVG units."""

    x: float
    y: float
    over: str
    label: str
    title: str
    css: str
    href: str = ""


class Curve(NamedTuple):
    """`d` is the path from one box to another."""

    d: str
    css: str


class Drawing(NamedTuple):
    """All boxes have one size. `captions` stand along the top: where, and what."""

    width: float
    height: float
    box_width: float
    box_height: float
    boxes: Sequence[Box]
    curves: Sequence[Curve]
    captions: Sequence[tuple[float, str]] = ()


def curve(x1: float, y1: float, x2: float, y2: float, css: str) -> Curve:
    """From left to right, level at both ends."""
    middle = (x1 + x2) / 2
    return Curve(f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}", css)


def shortened(text: str, longest: int) -> str:
    """`text`, without its middle if it has more than `longest` characters."""
    if len(text) <= longest:
        return text
    head = (longest - 1) // 2
    return f"{text[:head]}…{text[head - longest + 1 :]}"
