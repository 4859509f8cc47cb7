"""`append_history` on PostgreSQL: positions are drawn first, then COPY writes the rows.

Locks until the end of the transaction, in the order of events_append_to_streams: the rows of the
streams in aggregate_versions, new ones and then old ones, each in the order of their names; then
the shared advisory lock of events_announce_append.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connections, transaction

from ..bulk import ESCAPES, copy_text
from .errors import constraint_name
from .history import (
    NameParts,
    Place,
    PreparedEvent,
    StoredEvent,
    Written,
    name_parts,
    places,
    without_known,
)
from .prepared import prepared_cursor

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_START_STREAMS = """
    INSERT INTO aggregate_versions (aggregate_type, aggregate_id, version, created_at, updated_at)
    SELECT aggregate_type, aggregate_id, added - 1, clock_timestamp(), clock_timestamp()
    FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS s (aggregate_type, aggregate_id, added)
    ORDER BY 1, 2
    ON CONFLICT (aggregate_type, aggregate_id) DO NOTHING
    RETURNING aggregate_type, aggregate_id
"""
_LOCK_STREAMS = """
    SELECT aggregate_type, aggregate_id, version FROM aggregate_versions
    WHERE (aggregate_type, aggregate_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
    ORDER BY aggregate_type, aggregate_id
    FOR UPDATE
"""
_MOVE_STREAMS = """
    UPDATE aggregate_versions AS stream
    SET version = stream.version + s.added, updated_at = clock_timestamp()
    FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS s (aggregate_type, aggregate_id, added)
    WHERE (stream.aggregate_type, stream.aggregate_id) = (s.aggregate_type, s.aggregate_id)
"""
_FIND_EVENTS = f"""
    SELECT {", ".join(StoredEvent._fields)} FROM events WHERE event_id = ANY(%s::uuid[])
"""
# Not in one statement: the announcement must come before the first position.
_ANNOUNCE = "SELECT events_announce_append(false), clock_timestamp()"
_DRAW_POSITIONS = "SELECT nextval('events_position_seq') FROM generate_series(1, %s::integer)"
COPY = """
    COPY events (
        position, sequence_number, aggregate_type, aggregate_id, event_id, event_type,
        event_version, event_data, metadata, correlation_id, causation_id, occurred_on, recorded_at
    ) FROM STDIN
"""


_has_escapes = re.compile(r"[\\\n\r\t]").search


def copy_history(using: str, events: Sequence[PreparedEvent]) -> Written:
    """Writes those that aren't stored yet. Raises DuplicateEventId; what it has written is undone
    then, and the transaction can go on."""
    connection = connections[using]
    try:
        with transaction.atomic(using=using), prepared_cursor(connection) as cursor:
            return _write(connection, cursor, events)
    except IntegrityError as error:
        if constraint_name(error) == "events_event_id":
            with prepared_cursor(connection) as cursor:
                without_known(events, _find(cursor, events))  # raises, and names them
        raise


def _write(
    connection: BaseDatabaseWrapper, cursor: Any, events: Sequence[PreparedEvent]
) -> Written:
    added = Counter(map(name_parts, events))
    versions = dict.fromkeys(_start_streams(cursor, added), -1)
    if len(versions) < len(added):
        old = _lock_streams(cursor, [stream for stream in added if stream not in versions])
        versions |= old
        # Only now: an append of the same events may have been waited for.
        candidates = [event for event in events if name_parts(event) in old]
        if known := _find(cursor, candidates):
            events = without_known(events, known)
        _move_streams(cursor, Counter(name for name in map(name_parts, events) if name in old))
    cursor.execute(_ANNOUNCE)
    recorded_at: datetime = cursor.fetchone()[1]
    cursor.execute(_DRAW_POSITIONS, (len(events),))
    numbers = places(events, versions, [position for (position,) in cursor.fetchall()])
    written = Written(events=events, places=numbers, recorded_at=recorded_at)
    _copy(connection, written)
    return written


def _start_streams(cursor: Any, added: Counter[NameParts]) -> list[NameParts]:
    """Those that there were none of."""
    cursor.execute(_START_STREAMS, [*_names(list(added)), list(added.values())])
    return list(map(tuple, cursor.fetchall()))


def _lock_streams(cursor: Any, streams: Sequence[NameParts]) -> dict[NameParts, int]:
    """Their versions, which nobody else changes any more."""
    cursor.execute(_LOCK_STREAMS, _names(streams))
    return {(kind, key): version for kind, key, version in cursor.fetchall()}


def _move_streams(cursor: Any, added: Counter[NameParts]) -> None:
    if added:
        cursor.execute(_MOVE_STREAMS, [*_names(list(added)), list(added.values())])


def _find(cursor: Any, events: Sequence[PreparedEvent]) -> list[StoredEvent]:
    cursor.execute(_FIND_EVENTS, ([event.past.event_id for event in events],))
    return [StoredEvent(*row) for row in cursor.fetchall()]


def _names(streams: Sequence[NameParts]) -> list[list[str]]:
    return [[kind for kind, _ in streams], [key for _, key in streams]]


def _copy(connection: BaseDatabaseWrapper, written: Written) -> None:
    recorded_at = written.recorded_at.isoformat()
    text = "".join(
        copy_line(event, place, recorded_at)
        for event, place in zip(written.events, written.places, strict=True)
    )
    copy_text(connection, COPY, text)


def copy_line(event: PreparedEvent, place: Place, recorded_at: str) -> str:
    """In the order of the columns of COPY."""
    past, metadata = event.past, event.metadata
    stream = past.stream
    # Names and JSON text hold no tabs and line ends of their own.
    text = "\t".join(
        (
            stream.aggregate_type,
            stream.aggregate_id,
            str(past.event_id),
            past.event_type,
            str(past.event_version),
            event.data_text,
            event.metadata_text,
        )
    ).replace("\\", "\\\\")
    correlation_id = _or_null(metadata["correlation_id"])
    causation_id = _or_null(metadata["causation_id"])
    return (
        f"{place.position}\t{place.sequence_number}\t{text}\t{correlation_id}\t{causation_id}\t"
        f"{event.moment}\t{recorded_at}\n"
    )


def _or_null(value: str | None) -> str:
    if value is None:
        return r"\N"
    return value.translate(ESCAPES) if _has_escapes(value) else value
