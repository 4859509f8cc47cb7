"""Events over time: one bar each, from its cause to when it was recorded.

Conversations rest for hours between steps that take milliseconds. A rest that is much longer than
others is drawn short, and labelled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from .reading import Node

WIDTH = 400.0
_MIN_BAR = 3.0
#: A rest is drawn short when it is this many times as long as the usual one, and at least so long.
_TIMES_USUAL = 20
_LEAST_REST = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where time was left out."""

    x: str
    rest: timedelta


class Scale:
    """From moments to places between 0 and WIDTH."""

    def __init__(self, moments: Sequence[datetime]) -> None:
        self._moments = sorted(set(moments))
        gaps = [b - a for a, b in zip(self._moments, self._moments[1:], strict=False)]
        usual = timedelta(seconds=median(gap.total_seconds() for gap in gaps)) if gaps else None
        longest = max(_LEAST_REST, usual * _TIMES_USUAL) if usual else _LEAST_REST
        self._places = [0.0]
        for gap in gaps:
            self._places.append(self._places[-1] + min(gap, longest).total_seconds())
        total = self._places[-1]
        self._factor = WIDTH / total if total else 0.0
        self.breaks = [
            Break(
                x=f"{(self._places[index] + longest.total_seconds() / 2) * self._factor:.1f}",
                rest=gap,
            )
            for index, gap in enumerate(gaps)
            if gap > longest
        ]

    def place(self, moment: datetime) -> float:
        """Of one of the moments that the scale was made for."""
        return self._places[bisect_right(self._moments, moment) - 1] * self._factor


def scale_for(nodes: Sequence[Node]) -> Scale:
    return Scale([moment for node in nodes for moment in (node.caused_at, node.at)])


def bar(node: Node, scale: Scale) -> Bar:
    start, end = scale.place(node.caused_at), scale.place(node.at)
    width = max(_MIN_BAR, end - start)
    return Bar(x=f"{min(start, WIDTH - width):.1f}", width=f"{width:.1f}")
