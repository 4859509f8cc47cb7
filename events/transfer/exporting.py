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


class ExportWriter:
    """Writes one event after the other. `out` must not translate line ends."""

    def __init__(self, out: Writable, file_format: FileFormat, *, with_place: bool = False) -> None:
        self._out = out
        self._columns = (*CSV_COLUMNS, *PLACE_KEYS) if with_place else CSV_COLUMNS
        self._csv = csv.writer(out, lineterminator="\n")
        self._is_csv = file_format is FileFormat.CSV
        if self._is_csv:
            self._csv.writerow(self._columns)

    def write(self, event: RecordedEvent) -> None:
        document = recorded_event_to_json(event)
        if self._is_csv:
            self._csv.writerow([_cell(document[name]) for name in self._columns])
        else:
            self._out.write(_json({name: document[name] for name in self._columns}) + "\n")


def export_events(
    events: Iterable[RecordedEvent],
    out: Writable,
    *,
    file_format: FileFormat = FileFormat.JSONL,
    with_place: bool = False,
    progress: Callable[[RecordedEvent, int], None] = lambda event, number: None,
) -> int:
    """Writes all of them, and says how many."""
    writer = ExportWriter(out, file_format, with_place=with_place)
    number = 0
    for number, event in enumerate(events, 1):
        writer.write(event)
        if number % EVENTS_BETWEEN_NOTES == 0:
            progress(event, number)
    return number


def _cell(value: Any) -> Any:
    return _json(value) if isinstance(value, dict) else value


def _json(document: JsonObject) -> str:
    # Sorted: jsonb has an order of its own, other databases keep that of the writer.
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
