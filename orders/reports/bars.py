"""Geometry of bars that are drawn as SVG on the server. The page has a table of the same numbers
beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

WIDTH, HEIGHT, MARGIN, LABEL_HEIGHT = 600.0, 140.0, 4.0, 16.0
#: More labels than this would overlap.
MOST_LABELS = 12


class Bar(NamedTuple):
    label: Any
    value: str
    x: str
    y: str
    width: str
    height: str
    #: Where the label stands; empty where there is no room for it.
    label_x: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Upright bars, drawn to one scale that starts at zero."""

    title: Any
    description: Any
    #: (label, value)
    values: Sequence[tuple[Any, float]]

    @property
    def view_box(self) -> str:
        return f"0 0 {WIDTH:g} {HEIGHT:g}"

    @property
    def label_y(self) -> str:
        return f"{HEIGHT - MARGIN:g}"

    @property
    def bars(self) -> list[Bar]:
        top = max((value for _, value in self.values), default=0) or 1
        step = (WIDTH - 2 * MARGIN) / max(1, len(self.values))
        room = HEIGHT - 2 * MARGIN - LABEL_HEIGHT
        every = -(-len(self.values) // MOST_LABELS)
        return [
            Bar(
                label=label,
                value=f"{value:g}",
                x=f"{MARGIN + index * step + step * 0.1:.1f}",
                y=f"{MARGIN + room * (1 - value / top):.1f}",
                width=f"{step * 0.8:.1f}",
                height=f"{room * value / top:.1f}",
                label_x="" if index % every else f"{MARGIN + (index + 0.5) * step:.1f}",
            )
            for index, (label, value) in enumerate(self.values)
        ]
