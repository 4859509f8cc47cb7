"""One worker process, whose handler writes one row for each event."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..harness import Contender, race
from ..report import Row, rows_against
from ..server import Server
from . import cluster, ours, peer

EVENTS = 2_000
ROUNDS = 5
ONE_BY_ONE, BY_SQL, IN_BATCHES = "ours", "ours, by SQL", "ours, a batch handler"
TASKS, PROJECTION = "a django-q2 task an event", "eventsourcing's projection"
#: What no engine can surpass with one process.
HANDLER_ALONE = "the handler in a loop, in one transaction"
BATCH = 1_000


def rows(server: Server) -> Iterator[Row]:
    speeds = race(
        server,
        [
            Contender(ONE_BY_ONE, partial(ours.prepare_handling, EVENTS, ours.write_row)),
            Contender(BY_SQL, partial(ours.prepare_handling, EVENTS, ours.write_row_by_sql)),
            Contender(
                IN_BATCHES,
                partial(
                    ours.prepare_handling,
                    EVENTS,
                    ours.write_rows,
                    in_batches=True,
                    batch_size=BATCH,
                ),
            ),
            Contender(HANDLER_ALONE, partial(ours.prepare_loop, EVENTS, ours.write_row)),
            Contender(
                TASKS,
                partial(cluster.prepare_tasks, EVENTS),
                meanwhile=partial(cluster.cluster, "BEST"),
            ),
            Contender(PROJECTION, partial(peer.prepare_projection, EVENTS)),
        ],
        units=EVENTS,
        rounds=ROUNDS,
    )
    yield from rows_against(
        {TASKS: 10.0, PROJECTION: None, HANDLER_ALONE: None},
        speeds,
        suite="bus",
        case="handle an event, one row by the ORM",
        unit="events/s",
    )
    # The projection's own is written by SQL, too.
    yield from rows_against(
        {PROJECTION: 3.0},
        speeds,
        ours=BY_SQL,
        suite="bus",
        case="handle an event, one row by SQL",
        unit="events/s",
    )
    yield from rows_against(
        {TASKS: 50.0, PROJECTION: None},
        speeds,
        ours=IN_BATCHES,
        suite="bus",
        case=f"handle events in batches of {BATCH:,}, one bulk_create",
        unit="events/s",
    )
