"""Geometry of the small pictures that pages draw as SVG on the server. Their templates, in
`components`, give each a title, a description and a table with the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, MARGIN = 600.0, 120.0, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line. None where nothing is known."""

    label: Any
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    label: Any
    #: Of polylines, as SVG writes them; several where the line has gaps.
    points: list[str]
    #: Which of the stylesheet's strokes it has: 1, 2, 3 ...
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """Lines over common steps, drawn to one scale that starts at zero."""

    title: Any
    description: Any
    #: Of the steps: times, positions.
    steps: Sequence[Any]
    series: Sequence[Series]

    @property
    def view_box(self) -> str:
        return f"0 0 {WIDTH:g} {HEIGHT:g}"

    @property
    def top(self) -> float:
        return max((value for line in self.series for value in line.values if value), default=1.0)

    @property
    def lines(self) -> list[Line]:
        return [
            Line(label=line.label, points=self._polylines(line.values), number=number)
            for number, line in enumerate(self.series, 1)
        ]

    @property
    def rows(self) -> list[tuple[Any, list[float | None]]]:
        """For the table: a step and its values."""
        return [
            (step, [line.values[index] for line in self.series])
            for index, step in enumerate(self.steps)
        ]

    def _polylines(self, values: Sequence[float | None]) -> list[str]:
        across = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
        parts: list[list[str]] = [[]]
        for index, value in enumerate(values):
            if value is None:
                parts.append([])
                continue
            x = MARGIN + index * across
            y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / self.top
            parts[-1].append(f"{x:.1f},{y:.1f}")
        # A polyline of one point is drawn with a round cap, so that it is seen.
        return [" ".join(part if part[1:] else part * 2) for part in parts if part]


def sparkline(title: Any, values: Sequence[float | None]) -> LineChart:
    """Without a table: the number that it leads to stands beside it."""
    return LineChart(
        title=title, description="", steps=(), series=[Series(label=title, values=values)]
    )
