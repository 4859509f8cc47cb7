"""A log of any size, with sagas, failed events and snapshots in proportion. In SQL: ten million
appends would take hours. `make explorer-data` fills a database that stays."""

from __future__ import annotations

import os
from uuid import UUID

from django.db import connection

EVENTS = int(os.environ.get("EXPLORER_EVENTS", "10000000"))
A_STREAM = 10
EVENTS_A_SAGA = 100
EVENTS_A_FAILURE = 200
EVENTS_A_SNAPSHOT = 1_000
CUSTOMERS = 10_000
AT_ONCE = 500_000
SUBSCRIPTIONS = 5
SEARCHED_FIELD = "data.customer_id"

# Each stream is one conversation, whose events cause each other, one after the other. They are
# recorded a millisecond apart, up to now.
_EVENTS = """
    INSERT INTO events (
        event_id, aggregate_id, aggregate_type, event_type, event_version, sequence_number,
        event_data, metadata, correlation_id, causation_id, occurred_on, recorded_at
    )
    SELECT
        id, stream_id::uuid, 'ExploredOrder',
        CASE
            WHEN place = 0 THEN 'benchmarks.OrderOpened'
            WHEN place = 8 THEN 'benchmarks.OrderPaid'
            WHEN place = 9 THEN 'benchmarks.OrderClosed'
            WHEN place = 5 THEN 'benchmarks.LineRemoved'
            ELSE 'benchmarks.LineAdded'
        END,
        1, place,
        CASE
            WHEN place = 0 THEN jsonb_build_object(
                'customer_id', 'c-' || (n / 10 % %(customers)s), 'name', 'Ada Lovelace'
            )
            WHEN place = 8 THEN jsonb_build_object('amount', '12.50')
            WHEN place = 9 THEN jsonb_build_object('reason', 'done')
            ELSE jsonb_build_object('product', 'p-' || n % 97, 'quantity', 1 + n % 3)
        END,
        jsonb_build_object(
            'correlation_id', stream_id::uuid, 'causation_id', cause, 'user_id', (n % 50)::text
        ),
        stream_id::uuid, cause, at, at
    FROM (
        SELECT
            n, n % 10 AS place, lpad(to_hex(n), 32, '0')::uuid AS id,
            lpad(to_hex(n / 10), 32, '0') AS stream_id,
            CASE WHEN n % 10 = 0 THEN NULL ELSE lpad(to_hex(n - 1), 32, '0')::uuid END AS cause,
            now() - (%(events)s - n) * interval '1 millisecond' AS at
        FROM generate_series(%(first)s, %(last)s) AS n
    ) AS numbered
    ORDER BY n
"""
_OTHERS = """
    INSERT INTO aggregate_versions (aggregate_type, aggregate_id, version, created_at, updated_at)
    SELECT 'ExploredOrder', lpad(to_hex(n), 32, '0')::uuid, 9, now(), now()
    FROM generate_series(0, %(events)s / 10 - 1) AS n;

    INSERT INTO snapshots
        (aggregate_type, aggregate_id, version, schema_version, snapshot_data, created_at)
    SELECT 'ExploredOrder', lpad(to_hex(n), 32, '0')::uuid, 4, 1,
        '{"customer_id": "c-1", "lines": 8, "is_paid": false}', now()
    FROM generate_series(0, %(events)s / %(a_snapshot)s - 1) AS n;

    INSERT INTO events_subscriptions (name, status, reason, created_at)
    SELECT 'benchmarks.reader' || n, 'active', '', now()
    FROM generate_series(0, %(subscriptions)s - 1) AS n;

    INSERT INTO events_lanes (
        subscription_id, number, position, owner, attempts, failure_streak, outages, handled,
        failed_attempts, timeouts, crashes, dead_letters, handler_seconds, updated_at
    )
    SELECT 'benchmarks.reader' || n, 0, %(events)s / 2, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, now()
    FROM generate_series(0, %(subscriptions)s - 1) AS n;

    INSERT INTO events_failed (
        subscription_id, aggregate_type, aggregate_id, sequence_number, position, event_id,
        event_type, lane, status, blocks, attempts, error_type, error_message, traceback,
        fingerprint, first_failed_at, last_failed_at
    )
    SELECT
        'benchmarks.reader' || n % %(subscriptions)s, 'ExploredOrder',
        lpad(to_hex(n * %(a_failure)s / 10), 32, '0')::uuid, 0, n * %(a_failure)s + 1,
        lpad(to_hex(n * %(a_failure)s), 32, '0')::uuid, 'benchmarks.OrderOpened', 0,
        CASE WHEN n % 10 = 0 THEN 'retrying' ELSE 'dead' END, true, 3, 'ValueError',
        'no such product', 'Traceback', lpad(to_hex(n % 40), 16, '0'), now(), now()
    FROM generate_series(0, %(events)s / %(a_failure)s - 1) AS n;

    INSERT INTO sagas_instances (
        saga_id, saga_type, definition_version, key, status, under_way, open_items,
        correlation_id, started_at, updated_at, ended_at
    )
    SELECT
        'Explored:' || n, 'Explored', 1, n::text,
        CASE n % 5
            WHEN 0 THEN 'needs_intervention' WHEN 1 THEN 'running' WHEN 2 THEN 'compensated'
            ELSE 'completed'
        END,
        '[]', '{}', lpad(to_hex(n), 32, '0')::uuid, now() - n * interval '1 second', now(), NULL
    FROM generate_series(0, %(events)s / %(a_saga)s - 1) AS n;
"""


def fill(events: int) -> None:
    """The empty, migrated database of the settings."""
    from events.explorer.json_fields import JsonField, add_index

    parameters = {
        "events": events,
        "customers": CUSTOMERS,
        "subscriptions": SUBSCRIPTIONS,
        "a_saga": EVENTS_A_SAGA,
        "a_failure": EVENTS_A_FAILURE,
        "a_snapshot": EVENTS_A_SNAPSHOT,
    }
    with connection.cursor() as cursor:
        for first in range(0, events, AT_ONCE):
            last = min(first + AT_ONCE, events) - 1
            statement = _EVENTS.replace(" % ", " %% ")
            cursor.execute(statement, parameters | {"first": first, "last": last})
        for statement in _OTHERS.split(";\n"):
            if statement.strip():
                cursor.execute(statement.replace(" % ", " %% "), parameters)
    field = JsonField.parse(SEARCHED_FIELD)
    assert field is not None, "the name is of the right form"
    add_index(field)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def stream_id(number: int) -> str:
    return str(UUID(int=number))
