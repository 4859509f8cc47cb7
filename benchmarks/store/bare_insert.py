"""The least that can be done: one prepared INSERT by psycopg alone.

It checks no version, tells readers nothing and keeps no row for the stream; the table, its indexes
and its constraints are those of our log.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import psycopg
from django.db import connection

from events.identifiers import new_id

from ..harness import Operation
from .payments import places
from .plain_django import payment_data

INSERT = """
    INSERT INTO events (
        event_id, aggregate_id, aggregate_type, event_type, event_version, sequence_number,
        event_data, metadata, correlation_id, causation_id, occurred_on, recorded_at
    ) VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, %s)
"""


def prepare_append() -> Operation:
    server = connection.settings_dict
    cursor = psycopg.connect(
        dbname=server["NAME"],
        host=server["HOST"],
        port=server["PORT"],
        user=server["USER"],
        password=server["PASSWORD"],
        autocommit=True,
    ).cursor()
    free = places(1)

    def insert() -> None:
        account_id, sequence_number = next(free)
        correlation_id, now = str(new_id()), datetime.now(UTC)
        cursor.execute(
            INSERT,
            (
                new_id(),
                str(account_id),
                "Account",
                "PaymentReceived",
                1,
                sequence_number,
                json.dumps(payment_data()),
                f'{{"user_id":null,"causation_id":null,"correlation_id":"{correlation_id}"}}',
                correlation_id,
                None,
                now,
                now,
            ),
            prepare=True,
        )

    return insert
