"""What a second worker brings, with a handler that waits for something else than the processor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from events.bus.subscription import Subscription, subscribe
from events.delivery import lanes
from events.recorded_event import RecordedEvent
from events.store.configured import event_store

from ..report import Row, Speeds, rows_against
from ..server import Server, use_database
from ..store.ours import save_accounts
from .ours import go_back
from .workers import wait_until_handled, workers

#: Of a hundred events each.
ACCOUNTS = 40
LANES = 8
ROUNDS = 3
HANDLER_SECONDS = 0.001


def rows(server: Server) -> Iterator[Row]:
    with server.new_database() as database, use_database(database):
        speeds = measure()
    yield from rows_against(
        {"1 worker": 1.7},
        speeds,
        suite="bus",
        case=f"handle an event in 1 ms, 2 workers, {LANES} lanes",
        unit="events/s",
        ours="2 workers",
    )


def measure() -> Speeds:
    events = ACCOUNTS * 100
    save_accounts(events)
    subscription = subscribe("*", wait_a_little, name="benchmarks.sharing", lanes=LANES)
    lanes.ensure_rows([subscription], event_store())
    teams = {"2 workers": 2, "1 worker": 1}
    return {
        name: [events / seconds for seconds in map(partial(_seconds, subscription), [n] * ROUNDS)]
        for name, n in teams.items()
    }


def wait_a_little(recorded: RecordedEvent) -> None:
    time.sleep(HANDLER_SECONDS)


def _seconds(subscription: Subscription, number: int) -> float:
    go_back([subscription])
    with workers(number, subscription):
        started = time.monotonic()
        wait_until_handled(subscription)
        return time.monotonic() - started
