"""How soon after its commit an event is handled, with a worker that is awake."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import quantiles

from events.bus.subscription import subscribe
from events.delivery import lanes
from events.store.configured import event_store
from events.streams import StreamName

from ..report import Row, row_of_less
from ..server import Server, use_database
from ..store.ours import PaymentReceived
from ..store.payments import PAYMENT
from . import cluster, ours
from .models import Receipt
from .workers import wait_until_handled, workers

EVENTS = 1_000
EVENTS_A_SECOND = 50
TASKS = "stock django-q2 task"
MOST_MS = {50: 10.0, 99: 50.0}


def rows(server: Server) -> Iterator[Row]:
    with server.new_database() as database, use_database(database):
        ours_ms = of_subscription()
    with server.new_database() as database, use_database(database):
        tasks_ms = of_tasks()
    for percent, most in MOST_MS.items():
        index = percent - 1
        case = f"commit to handler, {EVENTS_A_SECOND} events/s, p{percent}"
        for against, theirs, is_limit in (
            (f"at most {most:.0f} ms", most, True),
            (TASKS, tasks_ms[index], False),
        ):
            yield row_of_less(
                suite="bus",
                case=case,
                against=against,
                ours=ours_ms[index],
                theirs=theirs,
                unit="ms",
                is_limit=is_limit,
            )


def of_subscription() -> list[float]:
    subscription = subscribe("*", ours.write_row, name="benchmarks.latency")
    lanes.ensure_rows([subscription], event_store())
    with workers(1, subscription):
        committed_at = append_steadily(lambda position: None)
        wait_until_handled(subscription)
    return percentiles(committed_at)


def of_tasks() -> list[float]:
    with cluster.cluster("STOCK"):
        committed_at = append_steadily(cluster.enqueue)
        cluster.wait_until_done()
    return percentiles(committed_at)


def append_steadily(after_commit: Callable[[int], object]) -> dict[int, float]:
    """When the event at each position was committed."""
    store, committed_at = event_store(), {}
    started = time.monotonic()
    for number in range(EVENTS):
        time.sleep(max(0.0, started + number / EVENTS_A_SECOND - time.monotonic()))
        event = PaymentReceived(**PAYMENT)
        [position] = store.append(StreamName("Account", str(number % 20)), [event]).positions
        committed_at[position] = time.monotonic()
        after_commit(position)
    return committed_at


def percentiles(committed_at: dict[int, float]) -> list[float]:
    """The first to the 99th, in milliseconds."""
    rows = Receipt._default_manager.filter(position__gt=0).values_list("position", "handled_at")
    waits = [1000 * (handled_at - committed_at[position]) for position, handled_at in rows]
    if len(waits) != len(committed_at):
        raise RuntimeError(f"{len(waits)} of {len(committed_at)} events were handled.")
    return quantiles(waits, n=100)
