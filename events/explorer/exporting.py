"""The events of a search as a file that is written while it is read: JSON Lines or CSV, in the form
of `manage.py export_events`, newest first.

What is exported is fixed when it begins: up to the high-water mark of then. Each batch is a
statement of its own, a range of an index; memory holds one batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import StringIO

from ..models import Event
from ..personal import hide_in_event, hide_names, personal_names
from ..recorded_event import RecordedEvent
from ..transfer.exporting import ExportWriter, FileFormat
from .conditions import Conditions
from .index_range import IndexRange
from .paging import read_batches
from .queries import in_log_database, recorded

CONTENT_TYPES = {FileFormat.JSONL: "application/x-ndjson", FileFormat.CSV: "text/csv"}


def exported(
    conditions: Conditions,
    index_range: IndexRange,
    file_format: FileFormat,
    *,
    up_to: int,
    with_personal: bool,
) -> Iterator[str]:
    """The file, piece by piece."""
    out = StringIO()
    writer = ExportWriter(out, file_format, with_place=True)
    for batch in _batches(conditions, index_range):
        for event in batch:
            if event.position <= up_to:
                shown = event if with_personal else _hidden(event)
                writer.write(_plain(shown) if file_format is FileFormat.CSV else shown)
        yield _taken(out)


def _batches(conditions: Conditions, index_range: IndexRange) -> Iterator[list[RecordedEvent]]:
    queryset = in_log_database(Event.objects.all()).annotate(**conditions.annotations)
    for batch in read_batches(queryset, index_range, conditions.further):
        yield [recorded(event) for event in batch]


def _taken(out: StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


def _hidden(event: RecordedEvent) -> RecordedEvent:
    return replace(
        event,
        data=hide_in_event(event.event_type, event.data),
        metadata=hide_names(dict(event.metadata), personal_names()),
    )


def _plain(event: RecordedEvent) -> RecordedEvent:
    """Spreadsheets take a cell that begins so for a formula, whoever wrote it."""
    if event.aggregate_id.startswith(("=", "+", "-", "@", "\t")):
        return replace(event, aggregate_id=f"'{event.aggregate_id}")
    return event
