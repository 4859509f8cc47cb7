"""Rows of the `events` table to recorded events, the same way for each database."""

from __future__ import annotations

from typing import Any

from ..codec import JsonObject
from ..recorded_event import RecordedEvent

#: The columns that `recorded_event` takes, in its order.
COLUMNS = (
    "position",
    "aggregate_type",
    "aggregate_id",
    "sequence_number",
    "event_id",
    "event_type",
    "event_version",
    "event_data",
    "metadata",
    "occurred_on",
    "recorded_at",
)


def recorded_event(row: tuple[Any, ...], data: JsonObject, metadata: JsonObject) -> RecordedEvent:
    """`data` and `metadata` are decoded JSON, and not taken from the row."""
    return RecordedEvent(
        position=row[0],
        aggregate_type=row[1],
        aggregate_id=row[2],
        sequence_number=row[3],
        event_id=row[4],
        event_type=row[5],
        event_version=row[6],
        data=data,
        metadata=metadata,
        occurred_on=row[9],
        recorded_at=row[10],
    )
