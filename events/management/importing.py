"""What commands that import have in common."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from django.core.management.base import CommandError, OutputWrapper
from django.db import reset_queries

from ..transfer.importing import ImportTally
from .progress import ProgressBar


def add_refused(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--refused",
        type=Path,
        metavar="FILE",
        help="lists the rows that are refused; by default, NAME.refused.jsonl in this folder",
    )


def shown_on(bar: ProgressBar) -> Callable[[ImportTally], None]:
    def show(tally: ImportTally) -> None:
        bar.show(tally.events)
        reset_queries()  # which Django keeps where DEBUG is on, each with some thousand values

    return show


def report(out: OutputWrapper, tally: ImportTally, bar: ProgressBar, refused: Path) -> None:
    """Raises CommandError, after all, if rows were refused."""
    out.write(
        f"{tally.stored:,} events stored in {bar.seconds:.1f} s "
        f"({bar.rate(tally.stored):,.0f}/s); {tally.known:,} were stored before."
    )
    if tally.unknown_types:
        shown = ", ".join(sorted(tally.unknown_types)[:5])
        more = ", ..." if len(tally.unknown_types) > 5 else ""
        out.write(f"No class is registered for {shown}{more}: they are stored as they are.")
    if tally.refused:
        raise CommandError(f"{tally.refused:,} rows were refused: {refused} says why.")
