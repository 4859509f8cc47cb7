"""What every contender stores: payments received on accounts, about 200 bytes of JSON each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from events.identifiers import new_id

PAYMENT: dict[str, Any] = {
    "payment_id": UUID("019cab3d-6a00-7bd1-8a5c-0d7c2b1f9e44"),
    "amount": Decimal("149.90"),
    "currency": "EUR",
    "due_at": datetime(2026, 3, 15, 12, tzinfo=UTC),
    "instalments": 3,
    "reference": "Invoice 2026-000117, two pens and a notebook",
}

APPENDS_A_STREAM = 10
EVENTS_AN_ACCOUNT = 100
#: Half of the default interval between two snapshots: what a load meets on average.
EVENTS_SINCE_SNAPSHOT = 5


def places(events: int) -> Iterator[tuple[UUID, int]]:
    """Where the next append of so many events goes: a stream and its first free sequence number.

    The ids are ordered by time for all, which is to the advantage of every index.
    """
    while True:
        stream_id = new_id()
        for append in range(APPENDS_A_STREAM):
            yield stream_id, append * events
