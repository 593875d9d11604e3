"""The flow map as a drawing: a column for each kind, so that everything leads to the right."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from app.building_blocks.operations.flow import KINDS, Flow, Node
from app.building_blocks.ops.drawing import Box, Curve, Drawing, curve, shortened

_WIDE, _HIGH = 172, 42
_ACROSS, _DOWN = 196, 56
_MARGIN, _TOP = 4, 30
_LONGEST = 24
_SWEEPS = 4
_CAPTIONS = (*KINDS, KINDS[0])
COLOURS = 6

Place = tuple[Node, int]
"""A node and the column that it is drawn in."""


def flow_map(flow: Flow, href: Callable[[Node], str]) -> Drawing:
    """What leads back to an earlier column is drawn once more, as `again`, one column further.

    So a cycle, which every choreography has, needs no line across the map.
    """
    steps = [(_home(start), (end, _column(start) + 1)) for start, end in flow.edges]
    places = dict.fromkeys([*map(_home, flow.nodes), *(end for _, end in steps)])
    rows = _arranged(list(places), steps)
    colours = colours_of(flow)
    boxes = [_box(place, row, colours, href) for place, row in rows.items()]
    curves = [_curve(start, end, rows, colours) for start, end in steps]
    width = max((box.x for box in boxes), default=0) + _WIDE + _MARGIN
    height = max((box.y for box in boxes), default=0) + _HIGH + _MARGIN
    columns = dict.fromkeys(column for _, column in sorted(rows, key=lambda place: place[1]))
    captions = [(_MARGIN + column * _ACROSS, _CAPTIONS[column]) for column in columns]
    return Drawing(width, height, _WIDE, _HIGH, boxes, curves, captions)


def colours_of(flow: Flow) -> dict[str, int]:
    """A number for each feature, in the order of the wiring."""
    features = dict.fromkeys(node.feature for node in flow.nodes if node.feature)
    return {feature: number % COLOURS for number, feature in enumerate(features)}


def _column(node: Node) -> int:
    return KINDS.index(node.kind)


def _home(node: Node) -> Place:
    return node, _column(node)


def _arranged(places: Sequence[Place], steps: Sequence[tuple[Place, Place]]) -> dict[Place, float]:
    """The row of each place: near those that it is joined with, so that few lines cross."""
    joined: dict[Place, list[Place]] = defaultdict(list)
    for start, end in steps:
        joined[start].append(end)
        joined[end].append(start)
    columns: dict[int, list[Place]] = defaultdict(list)
    for place in places:
        columns[place[1]].append(place)
    rows = {place: float(row) for column in columns.values() for row, place in enumerate(column)}

    def pull(place: Place) -> float:
        near = [rows[other] for other in joined[place]]
        return sum(near) / len(near) if near else rows[place]

    tallest = max(map(len, columns.values()), default=0)
    order = sorted(columns)
    for sweep in range(_SWEEPS):
        for number in order if sweep % 2 == 0 else reversed(order):
            columns[number].sort(key=pull)
            first = (tallest - len(columns[number])) / 2
            rows.update({place: first + row for row, place in enumerate(columns[number])})
    return rows


def _box(place: Place, row: float, colours: dict[str, int], href: Callable[[Node], str]) -> Box:
    node, column = place
    feature, name = node.feature, node.name
    if node.kind in ("topic", "consumer"):
        feature, _, name = node.name.partition(".")
    css = f"box kind-{node.kind.replace(' ', '-')} feature-{colours.get(feature, 'none')}"
    return Box(
        _MARGIN + column * _ACROSS,
        _TOP + row * _DOWN,
        feature,
        shortened(name, _LONGEST),
        f"{node.kind}: {node.name}",
        css if column == _column(node) else f"{css} again",
        href(node),
    )


def _curve(start: Place, end: Place, rows: dict[Place, float], colours: dict[str, int]) -> Curve:
    node = start[0]
    feature = node.feature or node.name.partition(".")[0]
    x1 = _MARGIN + start[1] * _ACROSS + _WIDE
    y1, y2 = (_TOP + rows[place] * _DOWN + _HIGH / 2 for place in (start, end))
    css = f"edge feature-{colours.get(feature, 'none')}"
    return curve(x1, y1, _MARGIN + end[1] * _ACROSS, y2, css)
