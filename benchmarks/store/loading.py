"""Loading an aggregate of ten to ten thousand events, with and without a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..harness import Contender, race
from ..report import Row, rows_against
from ..server import Server
from . import ours, peer, plain_django

SIZES = (10, 100, 1_000, 10_000)


def rows(server: Server) -> Iterator[Row]:
    for events in SIZES:
        yield from from_events(server, events)
        yield from from_snapshot(server, events)
    yield from snapshot_beside_few_events(server)


def from_events(server: Server, events: int) -> Iterator[Row]:
    speeds = race(
        server,
        [
            Contender("ours", partial(ours.prepare_load, events)),
            Contender("eventsourcing", partial(peer.prepare_load, events)),
            Contender("Django ORM", partial(plain_django.prepare_load, events)),
        ],
    )
    yield from rows_against(
        {"eventsourcing": 2.0 if events == 1_000 else None, "Django ORM": None},
        speeds,
        suite="store",
        case=f"load {events:,} events into an aggregate",
        unit="loads/s",
    )


def from_snapshot(server: Server, events: int) -> Iterator[Row]:
    speeds = race(
        server,
        [
            Contender("ours", partial(ours.prepare_load_with_snapshot, events)),
            Contender("eventsourcing", partial(peer.prepare_load_with_snapshot, events)),
        ],
    )
    yield from rows_against(
        {"eventsourcing": None},
        speeds,
        suite="store",
        case=f"load with a snapshot, {events:,} events behind it",
        unit="loads/s",
    )


def snapshot_beside_few_events(server: Server) -> Iterator[Row]:
    few = "our own load of 10 events"
    speeds = race(
        server,
        [
            Contender("ours", partial(ours.prepare_load_with_snapshot, 10_000)),
            Contender(few, partial(ours.prepare_load, 10)),
        ],
    )
    yield from rows_against(
        {few: 1 / 2},
        speeds,
        suite="store",
        case="load with a snapshot, 10,000 events behind it: at most 2x the time",
        unit="loads/s",
    )
