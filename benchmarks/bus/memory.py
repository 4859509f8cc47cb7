"""Whether a worker that has handled a million events needs more memory than before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection

from events.bus.subscription import subscribe
from events.delivery import lanes
from events.recorded_event import RecordedEvent
from events.store.configured import event_store

from ..report import Row, row_of_less
from ..server import Server, use_database
from ..store import ours
from ..store.payments import APPENDS_A_STREAM
from ..store.plain_django import payment_data
from ..store.table_size import INSERT_EVENTS
from .workers import wait_until_handled, workers

EVENTS = 1_000_000
#: By then it has met everything once.
EVENTS_AT_START = 20_000
MOST_MB = 20.0


def rows(server: Server) -> Iterator[Row]:
    with server.new_database() as database, use_database(database):
        sizes = measure()
    yield row_of_less(
        suite="bus",
        case=f"memory that a worker adds over {EVENTS:,} events",
        against=f"at most {MOST_MB:.0f} MB",
        ours=max(sizes) - sizes[0],
        theirs=MOST_MB,
        unit="MB",
        is_limit=True,
    )


def measure() -> list[float]:
    insert_events()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE sizes (number bigint, megabytes double precision)")
    subscription = subscribe("*", note_size(), name="benchmarks.memory")
    lanes.ensure_rows([subscription], event_store())
    with workers(1, subscription):
        wait_until_handled(subscription)
    with connection.cursor() as cursor:
        cursor.execute("SELECT megabytes FROM sizes ORDER BY number")
        return [megabytes for (megabytes,) in cursor.fetchall()]


def note_size() -> Any:
    """A handler that writes down the size of its process from time to time."""
    handled = 0

    def handler(recorded: RecordedEvent) -> None:
        nonlocal handled
        handled += 1
        if handled % EVENTS_AT_START == 0:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO sizes VALUES (%s, %s)", (handled, megabytes()))

    return handler


def megabytes() -> float:
    resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def insert_events() -> None:
    parameters: dict[str, Any] = {
        "events": EVENTS,
        "a_stream": APPENDS_A_STREAM,
        "aggregate_type": ours.Account.aggregate_type,
        "event_type": ours.PaymentReceived.event_type,
        "data": json.dumps(payment_data()),
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENTS, parameters)
        cursor.execute("VACUUM ANALYZE events")
