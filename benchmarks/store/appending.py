"""Appends of one and of ten events, by one writer process and by four."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from . import bare_insert, ours, peer, plain_django

OURS, AS_IT_COMES, FUNCTIONS = "ours", "eventsourcing as it comes", "eventsourcing with functions"
BARE, ORM = "bare INSERT", "Django ORM"

# Number of events and of writers, and the ratio that each row demands.
DEMANDS: dict[tuple[int, int], dict[str, float | None]] = {
    (1, 1): {AS_IT_COMES: 2.0, FUNCTIONS: 1.2, BARE: 0.7, ORM: None},
    (1, 4): {AS_IT_COMES: 2.5, FUNCTIONS: 1.8, BARE: 0.7, ORM: None},
    (10, 1): {AS_IT_COMES: 2.0, FUNCTIONS: 1.3, ORM: None},
    (10, 4): {AS_IT_COMES: None, FUNCTIONS: None, ORM: None},
}


def rows(server: Server) -> Iterator[Row]:
    for (events, writers), demands in DEMANDS.items():
        prepare: dict[str, Callable[[], Operation]] = {
            OURS: partial(ours.prepare_append, events),
            AS_IT_COMES: partial(peer.prepare_append, events),
            FUNCTIONS: partial(peer.prepare_append_with_functions, events),
            BARE: bare_insert.prepare_append,
            ORM: partial(plain_django.prepare_append, events),
        }
        speeds = race(
            server,
            [Contender(name, prepare[name]) for name in (OURS, *demands)],
            processes=writers,
            units=events,
        )
        yield from rows_against(
            demands,
            speeds,
            suite="store",
            case=f"append {counted(events, 'event')}, {counted(writers, 'writer')}",
            unit="events/s",
        )


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
