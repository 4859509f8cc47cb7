"""What the engine itself costs: a handler that does nothing, beside reading the same events."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..harness import Contender, race
from ..report import Row, rows_against
from ..server import Server
from . import ours

EVENTS = 20_000
LARGE = 1_000


def rows(server: Server) -> Iterator[Row]:
    reading = "read_log without a handler"
    by_default = "ours, batches of 200"
    prepare = partial(ours.prepare_handling, EVENTS, ours.do_nothing)
    speeds = race(
        server,
        [
            Contender("ours", partial(prepare, batch_size=LARGE)),
            Contender(by_default, prepare),
            Contender(reading, partial(ours.prepare_reading, EVENTS)),
        ],
        units=EVENTS,
        rounds=7,
    )
    for name, size, at_least in (("ours", LARGE, 0.5), (by_default, 200, None)):
        yield from rows_against(
            {reading: at_least},
            speeds,
            ours=name,
            suite="bus",
            case=f"handle an event by doing nothing, batches of {size:,}",
            unit="events/s",
        )
