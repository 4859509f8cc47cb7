"""Reading the whole log, each event decoded into its class."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..harness import Contender, race
from ..report import Row, rows_against
from ..server import Server
from . import ours, peer, plain_django

EVENTS = 10_000


def rows(server: Server) -> Iterator[Row]:
    speeds = race(
        server,
        [
            Contender("ours", partial(ours.prepare_read_log, EVENTS)),
            Contender("eventsourcing", partial(peer.prepare_read_log, EVENTS)),
            Contender("Django ORM, undecoded", partial(plain_django.prepare_read_log, EVENTS)),
        ],
        units=EVENTS,
    )
    yield from rows_against(
        {"eventsourcing": None, "Django ORM, undecoded": None},
        speeds,
        suite="store",
        case=f"read the whole log of {EVENTS:,} events",
        unit="events/s",
    )
