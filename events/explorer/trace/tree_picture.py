"""The tree of causes as a picture, from left to right. Many effects of one kind are drawn as one,
and a picture that would be too large is not drawn: the table has it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ..presentation import shortened
from .reading import Node

MAX_BOXES = 120
#: Effects of one event and of one type, from which on they are drawn as one.
COLLAPSED_FROM = 4
BOX_WIDTH, BOX_HEIGHT, ACROSS, DOWN, MARGIN = 170, 24, 194, 30, 8
_MAX_CHARACTERS = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    x: int
    y: int
    text: str
    node: Node
    #: How many more are drawn as this one.
    more: int

    @property
    def middle(self) -> int:
        return self.y + BOX_HEIGHT // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    boxes: list[Box]
    #: Paths, as SVG writes them.
    edges: list[str]
    width: int
    height: int


def picture_of(roots: Sequence[Node]) -> Picture | None:
    """None where it would have more than MAX_BOXES."""
    layout = _Layout()
    for node, more in _collapsed(roots):
        layout.add(node, more, 0)
        if len(layout.boxes) > MAX_BOXES:
            return None
    return Picture(
        boxes=layout.boxes,
        edges=layout.edges,
        width=2 * MARGIN + layout.deepest * ACROSS + BOX_WIDTH,
        height=2 * MARGIN + layout.next_row * DOWN - (DOWN - BOX_HEIGHT),
    )


class _Layout:
    """Leaves from top to bottom, each cause beside the first of its effects."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.edges: list[str] = []
        self.next_row = 0
        self.deepest = 0

    def add(self, root: Node, more: int, depth: int) -> None:
        waiting: list[tuple[Node, int, int, Box | None]] = [(root, more, depth, None)]
        while waiting and len(self.boxes) <= MAX_BOXES:
            node, more, depth, cause = waiting.pop()
            row = self.next_row
            box = Box(
                x=MARGIN + depth * ACROSS,
                y=MARGIN + row * DOWN,
                text=_text(node, more),
                node=node,
                more=more,
            )
            self.boxes.append(box)
            self.deepest = max(self.deepest, depth)
            if cause is not None:
                self.edges.append(_edge(cause, box))
            effects = _collapsed(node.effects) if not more else []
            if not effects:
                self.next_row += 1
            waiting.extend((effect, n, depth + 1, box) for effect, n in reversed(effects))


def _collapsed(nodes: Sequence[Node]) -> list[tuple[Node, int]]:
    """Neighbours of one type as (the first, how many more)."""
    found: list[tuple[Node, int]] = []
    for _, group in groupby(nodes, key=lambda node: (_name(node), bool(node.failures))):
        members = list(group)
        if len(members) >= COLLAPSED_FROM:
            found.append((members[0], len(members) - 1))
        else:
            found += [(node, 0) for node in members]
    return found


def _name(node: Node) -> str:
    if node.event is not None:
        return node.event.event_type
    return node.command_type or shortened(node.key)


def _text(node: Node, more: int) -> str:
    name = f"{_name(node)} +{more}" if more else _name(node)
    return name if len(name) <= _MAX_CHARACTERS else f"{name[: _MAX_CHARACTERS - 1]}…"


def _edge(cause: Box, effect: Box) -> str:
    start, end = cause.x + BOX_WIDTH, effect.x
    half = (start + end) // 2
    return f"M{start} {cause.middle} H{half} V{effect.middle} H{end}"
