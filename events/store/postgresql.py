"""The store for PostgreSQL: an append is one round trip, to a function that a migration made.

The functions stand in `sql/`, one a file, with the locks that they take.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from django.db import DatabaseError, IntegrityError

from ..codec import JsonObject
from ..exceptions import HighWaterMarkUnavailable
from ..recorded_event import RecordedEvent
from ..snapshots import Snapshot
from ..streams import StreamName
from .appending import AppendResult, PreparedAppend
from .copying import copy_history
from .database import DatabaseEventStore
from .errors import constraint_name, message_detail, sqlstate
from .history import PreparedEvent, Written
from .prepared import kept_cursor, prepared_cursor
from .reading import EventQuery
from .rows import recorded_event
from .selecting import MAX_BIGINT, first_of_each, select_statement

_APPEND = "SELECT * FROM events_append_to_stream(%s, %s, %s, %s::jsonb, %s)"
_APPEND_TO_STREAMS = "SELECT events_append_to_streams(%s::jsonb)::text"
_SNAPSHOT = """
    SELECT version, schema_version, snapshot_data::text, created_at
    FROM snapshots WHERE aggregate_type = %s AND aggregate_id = %s
"""
_HIGH_WATER_MARK = "SELECT events_high_water_mark()"
_OBJECT_NOT_IN_PREREQUISITE_STATE = "55000"


class PostgresEventStore(DatabaseEventStore):
    """Every insert into `events` must announce itself first, as its functions and `copying` do:
    readers rely on their locks."""

    def high_water_mark(self) -> int:
        cursor = kept_cursor(self.connection)
        try:
            cursor.execute(_HIGH_WATER_MARK)
        except DatabaseError as error:
            if sqlstate(error) == _OBJECT_NOT_IN_PREREQUISITE_STATE:
                raise HighWaterMarkUnavailable(f"No high-water mark: {error}") from error
            raise
        mark: int = cursor.fetchone()[0]
        return mark

    def find_snapshot(self, stream: StreamName) -> Snapshot | None:
        cursor = kept_cursor(self.connection)
        cursor.execute(_SNAPSHOT, (stream.aggregate_type, stream.aggregate_id))
        row = cursor.fetchone()
        if row is None:
            return None
        version, schema_version, data, created_at = row
        return Snapshot(
            version=version,
            schema_version=schema_version,
            data=json.loads(data),
            created_at=created_at,
        )

    def _write(self, append: PreparedAppend) -> AppendResult:
        stream, connection = append.stream, self.connection
        cursor = kept_cursor(connection)
        try:
            cursor.execute(
                _APPEND,
                (
                    stream.aggregate_type,
                    stream.aggregate_id,
                    min(append.expected_version, MAX_BIGINT),
                    append.text,
                    connection.autocommit,
                ),
            )
        except IntegrityError as error:
            _translate(error, [append])
        return _result(append, *cursor.fetchone())

    def _write_to_streams(self, appends: Sequence[PreparedAppend]) -> list[AppendResult]:
        cursor = kept_cursor(self.connection)
        try:
            cursor.execute(_APPEND_TO_STREAMS, (_streams_text(appends),))
        except IntegrityError as error:
            _translate(error, appends)
        results = json.loads(cursor.fetchone()[0], object_hook=_with_moment)
        return [
            _result(
                appends[result["index"]],
                result["outcome"],
                result["stream_version"],
                result["positions"],
                result["stored_at"],
            )
            for result in results
        ]

    def _write_history(self, events: Sequence[PreparedEvent]) -> Written:
        return copy_history(self.using, events)

    def _select(self, query: EventQuery, limit: int) -> list[RecordedEvent]:
        statement, parameters = select_statement(query, limit)
        with prepared_cursor(self.connection) as cursor:
            cursor.execute(statement, parameters)
            rows = cursor.fetchall()
        # One document is decoded faster than many.
        data = json.loads(f"[{','.join([row[7] for row in rows])}]")
        metadata = json.loads(f"[{','.join([row[8] for row in rows])}]")
        return list(map(recorded_event, rows, data, metadata))

    def read_first(self, queries: Sequence[EventQuery]) -> list[RecordedEvent | None]:
        """In one round trip."""
        if not queries:
            return []
        statement, parameters = first_of_each(queries)
        with self.connection.cursor() as cursor:  # of as many texts as there are counts of queries
            cursor.execute(statement, parameters)
            rows = cursor.fetchall()
        found = {
            row[-1]: recorded_event(row[:-1], json.loads(row[7]), json.loads(row[8]))
            for row in rows
        }
        return [found.get(index) for index in range(len(queries))]


def _streams_text(appends: Sequence[PreparedAppend]) -> str:
    """The argument of events_append_to_streams; the events are JSON text already."""
    documents = []
    for append in appends:
        head = {
            "aggregate_type": append.stream.aggregate_type,
            "aggregate_id": append.stream.aggregate_id,
            "expected": min(append.expected_version, MAX_BIGINT),
        }
        documents.append(f'{json.dumps(head)[:-1]},"events":{append.text}}}')
    return f"[{','.join(documents)}]"


def _with_moment(result: JsonObject) -> JsonObject:
    if result["stored_at"] is not None:
        result["stored_at"] = datetime.fromisoformat(result["stored_at"])
    return result


def _result(
    append: PreparedAppend,
    outcome: str,
    version: int,
    positions: list[int],
    recorded_at: datetime,
) -> AppendResult:
    if outcome == "conflict":
        raise append.conflict(version)
    if outcome == "duplicate":
        raise append.duplicate()
    return AppendResult(
        stream=append.stream,
        version=version,
        positions=tuple(positions),
        recorded_at=recorded_at,
        replayed=outcome == "replayed",
    )


def _translate(error: IntegrityError, appends: Sequence[PreparedAppend]) -> NoReturn:
    """A taken id that only the unique index notices; the transaction is broken then."""
    if constraint_name(error) == "events_event_id":
        stream = message_detail(error)
        culprit = next((each for each in appends if str(each.stream) == stream), appends[0])
        raise culprit.duplicate() from error
    raise error
