"""A saga as a picture: its stages from left to right, the undoing of each step below it.

Geometry only; the template draws it, and the table of steps beside it says the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from events.messages import Command

from ..plan import Plan, PlannedStep
from ..process import Process
from ..progress import Standing, StepView
from ..step import START

BOX_WIDTH, BOX_HEIGHT = 150, 46
_GAP_X, _GAP_Y, _MARGIN = 28, 14, 10
#: Between doing and undoing.
_BAND_GAP = 34
#: Of one line of a box.
_MAX_CHARACTERS = 21
#: Beyond so many steps a picture says less than the table.
MAX_STEPS = 60

_DOING = {
    Standing.TO_COME: "to-come",
    Standing.DOING: "doing",
    Standing.RETRYING: "doing",
    Standing.REJECTED: "failed",
    Standing.UNKNOWN: "failed",
    Standing.NOT_REACHED: "unreached",
    Standing.SKIPPED: "skipped",
}
_UNDOING = {
    Standing.TO_UNDO: "to-come",
    Standing.UNDOING: "doing",
    Standing.RETRYING_UNDO: "doing",
    Standing.UNDONE: "undone",
    Standing.UNDONE_BY_HAND: "undone",
    Standing.NOT_UNDONE: "failed",
    Standing.GIVEN_UP: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    x: int
    y: int
    name: str
    #: Second line: what it does, or where it stands.
    note: str
    #: For the stylesheet: done, doing, to-come, failed, skipped, undone, unreached, idle.
    state: str
    is_undo: bool
    is_pivot: bool
    #: In full, for the title.
    text: str
    width: int = BOX_WIDTH
    height: int = BOX_HEIGHT

    @property
    def middle(self) -> int:
        return self.y + BOX_HEIGHT // 2

    @property
    def right(self) -> int:
        return self.x + BOX_WIDTH

    @property
    def text_x(self) -> int:
        return self.x + 10

    @property
    def name_y(self) -> int:
        return self.y + 19

    @property
    def note_y(self) -> int:
        return self.y + 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    #: As the attribute `d` of a path.
    path: str
    is_undo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    width: int
    height: int
    boxes: Sequence[Box]
    edges: Sequence[Edge]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One step. `undoes` is None where nothing undoes it."""

    view: StepView
    does: str
    undoes: str | None
    is_pivot: bool = False


def of_plan(plan: Plan, views: Sequence[StepView]) -> Diagram | None:
    by_name = {view.name: view for view in views}
    start = [(plan.steps[START],)] if START in plan.steps else []
    return diagram(
        [[_part(step, by_name[step.name]) for step in stage] for stage in (*start, *plan.stages)]
    )


def of_process(process: Process, views: Sequence[StepView]) -> Diagram | None:
    """Nobody has said in what order they come: that of their declaration."""
    by_name = {view.name: view for view in views}
    return diagram(
        [
            [
                Part(
                    view=by_name[step.name],
                    does=_types(step.commands),
                    undoes=_types([c for each in process.undos(step) for c in each.commands])
                    if process.undos(step)
                    else None,
                )
            ]
            for step in process.steps
        ]
    )


def diagram(columns: Sequence[Sequence[Part]]) -> Diagram | None:
    """None where there are too many steps for a picture."""
    if not 0 < sum(map(len, columns)) <= MAX_STEPS:
        return None
    tallest = max(len(column) for column in columns)
    band = _MARGIN + tallest * (BOX_HEIGHT + _GAP_Y) - _GAP_Y + _BAND_GAP
    doing = [
        [_do_box(part, *_place(at, row, _MARGIN)) for row, part in enumerate(column)]
        for at, column in enumerate(columns)
    ]
    undoing = [
        [
            _undo_box(part, part.undoes, *_place(at, row, band))
            for row, part in enumerate(each for each in column if each.undoes is not None)
            if part.undoes is not None
        ]
        for at, column in enumerate(columns)
    ]
    boxes = [box for column in (*doing, *undoing) for box in column]
    return Diagram(
        width=max(box.right for box in boxes) + _MARGIN,
        height=max(box.y for box in boxes) + BOX_HEIGHT + _MARGIN,
        boxes=boxes,
        edges=[*_forward(doing), *_backward(undoing), *_turns(doing, undoing)],
    )


def _part(step: PlannedStep, view: StepView) -> Part:
    return Part(
        view=view,
        does=step.do.command_class.command_type if step.do is not None else "",
        undoes=step.undo.command_class.command_type if step.undo is not None else None,
        is_pivot=step.pivot,
    )


def _types(commands: Iterable[type[Command]]) -> str:
    return ", ".join(dict.fromkeys(each.command_type for each in commands))


def _place(column: int, row: int, top: int) -> tuple[int, int]:
    return _MARGIN + column * (BOX_WIDTH + _GAP_X), top + row * (BOX_HEIGHT + _GAP_Y)


def _do_box(part: Part, x: int, y: int) -> Box:
    # Undone is told below; it had been done before.
    standing = part.view.standing
    note = "done" if standing in _UNDOING else standing.label
    return Box(
        x=x,
        y=y,
        name=_short(part.view.name),
        note=_short(note),
        state=_DOING.get(standing, "done"),
        is_undo=False,
        is_pivot=part.is_pivot,
        text=", ".join(filter(None, (part.view.name, part.does, note))),
    )


def _undo_box(part: Part, undoes: str, x: int, y: int) -> Box:
    standing = part.view.standing
    note = standing.label if standing in _UNDOING else ""
    return Box(
        x=x,
        y=y,
        name=_short(undoes),
        note=_short(note or f"undoes {part.view.name}"),
        state=_UNDOING.get(standing, "idle"),
        is_undo=True,
        is_pivot=False,
        text=f"{undoes} undoes {part.view.name}" + (f": {note}" if note else ""),
    )


def _forward(columns: Sequence[Sequence[Box]]) -> Iterator[Edge]:
    for left, right in itertools.pairwise(columns):
        for a in left:
            for b in right:
                yield Edge(path=_curve(a.right, a.middle, b.x, b.middle), is_undo=False)


def _backward(columns: Sequence[Sequence[Box]]) -> Iterator[Edge]:
    """Past stages that have nothing to undo."""
    filled = [column for column in columns if column]
    for left, right in itertools.pairwise(filled):
        for a in right:
            for b in left:
                yield Edge(path=_curve(a.x, a.middle, b.right, b.middle), is_undo=True)


def _turns(doing: Sequence[Sequence[Box]], undoing: Sequence[Sequence[Box]]) -> Iterator[Edge]:
    """From the lowest box of a stage to the undoing below it."""
    for above, below in zip(doing, undoing, strict=True):
        if below:
            x = above[-1].x + BOX_WIDTH // 2
            yield Edge(path=f"M{x},{above[-1].y + BOX_HEIGHT} V{below[0].y}", is_undo=True)


def _curve(x1: int, y1: int, x2: int, y2: int) -> str:
    bend = (x1 + x2) // 2
    return f"M{x1},{y1} C{bend},{y1} {bend},{y2} {x2},{y2}"


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"
