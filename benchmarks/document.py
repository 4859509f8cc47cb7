"""docs/benchmarks.md: a part for each suite, with the day and the machine that it ran on. A run
replaces the parts of its suites, and leaves the others."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from django.db import connection

from .report import Row, figure

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
#: Whose versions are told, where they are installed.
PACKAGES = ("Django", "psycopg", "django-q2", "eventsourcing", "kombu")

HEAD = """# Benchmarks

Made by `make bench`; `make bench SUITE=name` replaces the part of one suite. Each contender works
in a database of its own, on the same PostgreSQL server with fsync on. Races are run in short turns
that alternate, and the ratio is the median of the rounds' own, so what else the machine does meets
all alike: compare ratios, not numbers from two machines. More is better where a row is a rate; of
times and sizes, the ratio says how often ours fits into theirs. A row with *at least* fails the run
when it isn't reached.
"""
_PART = re.compile(r"<!-- suite: (\S+) -->\n(.*?)(?=<!-- suite: |\Z)", re.DOTALL)


def update(suites: Sequence[str], rows: Sequence[Row], path: Path = DOCUMENT) -> None:
    text = path.read_text() if path.exists() else ""
    path.write_text(updated(text, {suite: part(suite, rows) for suite in suites}))


def updated(text: str, parts: Mapping[str, str]) -> str:
    """With these parts in place of those of the same suites; new ones come last."""
    kept = {suite: body.strip() for suite, body in _PART.findall(text)}
    bodies = {**kept, **{suite: body.strip() for suite, body in parts.items()}}
    written = (f"<!-- suite: {suite} -->\n{body}\n" for suite, body in bodies.items())
    return "\n".join([HEAD, *written])


def part(suite: str, rows: Sequence[Row]) -> str:
    own = [row for row in rows if row.suite == suite]
    return "\n\n".join([f"## {suite.capitalize()}", _machine(), _table(own), _not_won(own)])


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| case | against | ours | theirs | unit | ratio | at least |",
        "|---|---|---:|---:|---|---:|---:|",
    ]
    for row in rows:
        demanded = "" if row.at_least is None else f"{row.at_least:.2f}"
        if not row.holds:
            demanded += ", **not reached**"
        cells = (row.case, row.against, figure(row.ours), figure(row.theirs), row.unit)
        lines.append(f"| {' | '.join(cells)} | {row.ratio:.2f} | {demanded} |")
    return "\n".join(lines)


def _not_won(rows: Sequence[Row]) -> str:
    lost = [row for row in rows if row.ratio < 1 or not row.holds]
    if not lost:
        return "Nothing here was lost."
    return "\n".join(["Not won:", "", *map(_loss, lost)])


def _loss(row: Row) -> str:
    demand = "" if row.at_least is None else f" (wanted: {row.at_least:.2f})"
    outcome = "" if row.holds else ", **which is not enough**"
    return f"- {row.case}, against {row.against}: {row.ratio:.2f} times{demand}{outcome}."


def _machine() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        [server] = cursor.fetchone()
    connection.close()
    facts = [
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"{os.cpu_count()} x {_processor()}",
        f"{_memory_gib():.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"PostgreSQL {server.split()[0]}",
        f"Python {platform.python_version()}",
        *_versions(),
    ]
    return "; ".join(facts) + "."


def _versions() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


def _processor() -> str:
    """As the system names it; elsewhere than on Linux, its architecture."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
