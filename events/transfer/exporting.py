"""Stored events as JSON Lines or CSV, in an order and form that depend on the log alone.

An export that is imported into an empty log and exported again has the same bytes. What says where
an event stands here is left out unless it is asked for, because another log has its own: positions
have gaps where appends were rolled back, and `recordedAt` is when this log got it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from ..codec import JsonObject
from ..envelope import PLACE_KEYS, recorded_event_to_json
from ..recorded_event import RecordedEvent
from .target import Writable

CSV_COLUMNS = (
    "eventId",
    "aggregateType",
    "aggregateId",
    "eventType",
    "eventVersion",
    "occurredOn",
    "data",
    "metadata",
)
EVENTS_BETWEEN_NOTES = 1_000


class FileFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def export_events(
    events: Iterable[RecordedEvent],
    out: Writable,
    *,
    file_format: FileFormat = FileFormat.JSONL,
    with_place: bool = False,
    progress: Callable[[RecordedEvent, int], None] = lambda event, number: None,
) -> int:
    """Writes one after the other, and says how many. `out` must not translate line ends."""
    columns = (*CSV_COLUMNS, *PLACE_KEYS) if with_place else CSV_COLUMNS
    writer = csv.writer(out, lineterminator="\n")
    if file_format is FileFormat.CSV:
        writer.writerow(columns)
    number = 0
    for number, event in enumerate(events, 1):
        document = recorded_event_to_json(event)
        if file_format is FileFormat.CSV:
            writer.writerow([_cell(document[name]) for name in columns])
        else:
            out.write(_json({name: document[name] for name in columns}) + "\n")
        if number % EVENTS_BETWEEN_NOTES == 0:
            progress(event, number)
    return number


def _cell(value: Any) -> Any:
    return _json(value) if isinstance(value, dict) else value


def _json(document: JsonObject) -> str:
    # Sorted: jsonb has an order of its own, other databases keep that of the writer.
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
