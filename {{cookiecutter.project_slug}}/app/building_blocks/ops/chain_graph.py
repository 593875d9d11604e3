"""A chain of messages as a tree: a message, its consumers, and the messages that they caused."""

from collections.abc import Sequence
from typing import Literal

from app.building_blocks.context import CAUSATION_ID
from app.building_blocks.operations.message import Message
from app.building_blocks.ops.drawing import Box, Curve, Drawing, curve, shortened
from app.building_blocks.ops.views import link

_WIDE, _HIGH = 206, 42
_ACROSS, _DOWN = 240, 56
_MARGIN = 4
_LONGEST = 28
MOST_DRAWN = 60


class _Node:
    # "received" is a message of which this service has no row but those of its consumers.
    def __init__(self, message: Message, kind: Literal["sent", "received", "consumer"]) -> None:
        self.message, self.kind = message, kind
        self.children: list[_Node] = []


class _Canvas:
    def __init__(self, current: Message) -> None:
        self.current = current
        self.boxes: list[Box] = []
        self.curves: list[Curve] = []
        self.rows = self.columns = 0

    def draw(self, node: _Node, column: int) -> tuple[float, float]:
        """Draw what hangs on `node`, then itself beside the middle; its place."""
        self.columns = max(self.columns, column + 1)
        places = [self.draw(child, column + 1) for child in node.children]
        x = _MARGIN + column * _ACROSS
        if places:
            y = (places[0][1] + places[-1][1]) / 2
        else:
            y = _MARGIN + self.rows * _DOWN
            self.rows += 1
        self.boxes.append(_box(node, x, y, self.current))
        for to_x, to_y in places:
            self.curves.append(curve(x + _WIDE, y + _HIGH / 2, to_x, to_y + _HIGH / 2, "edge"))
        return x, y


def chain_graph(chain: Sequence[Message], current: Message) -> Drawing | None:
    """The drawing; None for a chain that is too long, or too short to be one."""
    if not 1 < len(chain) <= MOST_DRAWN:
        return None
    canvas = _Canvas(current)
    for root in _roots(chain):
        canvas.draw(root, 0)
    width = 2 * _MARGIN + (canvas.columns - 1) * _ACROSS + _WIDE
    height = 2 * _MARGIN + (canvas.rows - 1) * _DOWN + _HIGH
    return Drawing(width, height, _WIDE, _HIGH, canvas.boxes, canvas.curves)


def _roots(chain: Sequence[Message]) -> list[_Node]:
    known = {one.message_id: _Node(one, "sent") for one in chain if one.box == "outbox"}
    for one in chain:
        if one.box == "inbox":
            node = known.setdefault(one.message_id, _Node(one, "received"))
            node.children.append(_Node(one, "consumer"))
    roots: list[_Node] = []
    for node in known.values():
        cause = known.get(node.message.headers.get(CAUSATION_ID, ""))
        if cause is None or _leads_to(node, cause):
            roots.append(node)
            continue
        consumers = [child for child in cause.children if child.kind == "consumer"]
        # Which of several consumers sent it is not written down.
        (consumers[0] if len(consumers) == 1 else cause).children.append(node)
    return roots


def _leads_to(node: _Node, other: _Node) -> bool:
    """A header from elsewhere can claim anything: nothing may hang on itself."""
    return node is other or any(_leads_to(child, other) for child in node.children)


def _box(node: _Node, x: float, y: float, current: Message) -> Box:
    one = node.message
    name = one.consumer or "" if node.kind == "consumer" else one.topic
    state = "received" if node.kind == "received" else one.state
    place = (one.box, one.message_id, one.consumer)
    is_current = place == (current.box, current.message_id, current.consumer)
    css = f"box {node.kind} is-{state}"
    if is_current and node.kind != "received":
        css += " current"
    return Box(
        x,
        y,
        state,
        shortened(name.partition(".")[2] or name, _LONGEST),
        f"{name} ({state})",
        css,
        link("/message", box=one.box, message_id=one.message_id, consumer=one.consumer),
    )
