"""Whether appends get slower as the log grows: five million events against none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import connection

from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from . import ours
from .payments import APPENDS_A_STREAM
from .plain_django import payment_data

EVENTS = 5_000_000

# The ids rise with the events, as those that the application makes do.
INSERT_EVENTS = """
    INSERT INTO events (
        event_id, aggregate_id, aggregate_type, event_type, event_version, sequence_number,
        event_data, metadata, correlation_id, causation_id, occurred_on, recorded_at
    )
    SELECT
        id::uuid, stream_id::uuid, %(aggregate_type)s, %(event_type)s, 1, n %% %(a_stream)s,
        %(data)s, jsonb_build_object('correlation_id', id::uuid), id::uuid, null, now(), now()
    FROM
        generate_series(0, %(events)s - 1) AS n,
        lpad(to_hex(n), 32, '0') AS id,
        lpad(to_hex(n / %(a_stream)s), 32, '0') AS stream_id
"""
INSERT_STREAMS = """
    INSERT INTO aggregate_versions (aggregate_type, aggregate_id, version, created_at, updated_at)
    SELECT %(aggregate_type)s, stream_id::uuid, %(a_stream)s - 1, now(), now()
    FROM
        generate_series(0, %(events)s / %(a_stream)s - 1) AS n,
        lpad(to_hex(n), 32, '0') AS stream_id
"""


def rows(server: Server) -> Iterator[Row]:
    empty = "an empty table"
    speeds = race(
        server,
        [
            Contender("ours", partial(prepare_append_to_large_log, EVENTS)),
            Contender(empty, partial(ours.prepare_append, 1)),
        ],
    )
    yield from rows_against(
        {empty: 1 / 1.2},
        speeds,
        suite="store",
        case=f"append 1 event, table of {EVENTS:,} events: at most 1.2x the time",
        unit="events/s",
    )


def prepare_append_to_large_log(events: int) -> Operation:
    parameters: dict[str, Any] = {
        "events": events,
        "a_stream": APPENDS_A_STREAM,
        "aggregate_type": ours.Account.aggregate_type,
        "event_type": ours.PaymentReceived.event_type,
        "data": json.dumps(payment_data()),
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENTS, parameters)
        cursor.execute(INSERT_STREAMS, parameters)
        cursor.execute("VACUUM ANALYZE events, aggregate_versions")
    return ours.prepare_append(1)
