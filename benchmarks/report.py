"""Rows of the result, and the two forms in which they are given out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import truediv
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

# Rich takes 80 columns where there is no terminal.
MIN_WIDTH = 120

#: By name of contender: units a second in each round.
Speeds: TypeAlias = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. `ours` and `theirs` are speeds, in `unit`: more is better. All three figures
    are medians of the rounds; `ratio` is that of the rounds' own ratios, so that a round in which
    the whole machine was slow doesn't distort it. (Of times and sizes, less is better: see
    `row_of_less`.)

    `at_least` is the ratio that is demanded, None where the row only informs. "At most twice the
    time" is a ratio of at least 0.5.
    """

    suite: str
    case: str
    against: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        return self.at_least is None or self.ratio >= self.at_least

    def summary(self) -> str:
        return f"{self.case}, against {self.against}: {self.ratio:.2f}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"holds": self.holds}


def rows_against(
    others: Mapping[str, float | None],
    speeds: Speeds,
    *,
    suite: str,
    case: str,
    unit: str,
    ours: str = "ours",
) -> Iterator[Row]:
    """A row for each of the others, given with the ratio that is demanded against it."""
    for against, at_least in others.items():
        yield Row(
            suite=suite,
            case=case,
            against=against,
            ours=median(speeds[ours]),
            theirs=median(speeds[against]),
            unit=unit,
            ratio=median(map(truediv, speeds[ours], speeds[against])),
            at_least=at_least,
        )


def row_of_less(
    *, suite: str, case: str, against: str, ours: float, theirs: float, unit: str, is_limit: bool
) -> Row:
    """Of a time or a size. The ratio is how many times ours fits into theirs; if that is a limit,
    it must fit once."""
    return Row(
        suite=suite,
        case=case,
        against=against,
        ours=ours,
        theirs=theirs,
        unit=unit,
        ratio=theirs / max(ours, 0.01),
        at_least=1.0 if is_limit else None,
    )


def print_rows(rows: Sequence[Row]) -> None:
    table = Table(show_edge=False)
    for heading in ("suite", "case", "against"):
        table.add_column(heading)
    for heading in ("ours", "theirs", "unit", "ratio", "at least", "holds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for before, row in zip([None, *rows], rows, strict=False):
        if before and before.case != row.case:
            table.add_section()
        table.add_row(*_cells(row), style=None if row.holds else "bold red")
    console = Console()
    console.width = max(console.width, MIN_WIDTH)
    console.print(table)


def _cells(row: Row) -> list[str]:
    demanded = row.at_least is not None
    return [
        row.suite,
        row.case,
        row.against,
        figure(row.ours),
        figure(row.theirs),
        row.unit,
        f"{row.ratio:.2f}",
        f"{row.at_least:.2f}" if demanded else "",
        ("yes" if row.holds else "NO") if demanded else "",
    ]


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def write_json(rows: Sequence[Row], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n")
