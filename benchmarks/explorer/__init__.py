"""The explorer's pages on a large log and on a small one: server time, as a browser's request has
it, but for the way."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median, quantiles

from ..report import Row, row_of_less
from ..server import Server, use_database
from . import data, pages

SMALL_EVENTS = 10_000
REQUESTS = 60
MOST_MS = 150.0
MOST_TIMES_SMALL = 1.5


def rows(server: Server) -> Iterator[Row]:
    small = measured(server, SMALL_EVENTS)
    large = measured(server, data.EVENTS)
    for name, times in large.items():
        case = f"{name}, {data.EVENTS:,} events"
        yield row_of_less(
            suite="explorer",
            case=case,
            against=f"p95 at most {MOST_MS:.0f} ms",
            ours=quantiles(times, n=20)[-1],
            theirs=MOST_MS,
            unit="ms",
            is_limit=True,
        )
        yield row_of_less(
            suite="explorer",
            case=case,
            against=f"{MOST_TIMES_SMALL}x the median of {SMALL_EVENTS:,} events",
            ours=median(times),
            theirs=MOST_TIMES_SMALL * median(small[name]),
            unit="ms",
            is_limit=True,
        )


def measured(server: Server, events: int) -> dict[str, list[float]]:
    """By page: milliseconds of each request."""
    with server.new_database() as database, use_database(database):
        data.fill(events)
        server.checkpoint()
        return pages.times(events, REQUESTS)
