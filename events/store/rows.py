"""Rows of the `events` table to recorded events, the same way for each database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..codec import JsonObject
from ..frozen import maker
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


_make = maker(RecordedEvent, ["data" if column == "event_data" else column for column in COLUMNS])


def recorded_event(row: Sequence[Any], data: JsonObject, metadata: JsonObject) -> RecordedEvent:
    """`data` and `metadata` are decoded JSON, and not taken from the row."""
    return _make((*row[:7], data, metadata, *row[9:]))
