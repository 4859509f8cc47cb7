"""The store for tests: a list in memory, under the same contract as the databases'."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from ..recorded_event import RecordedEvent
from ..snapshots import Snapshot
from ..streams import StreamName
from .appending import AppendResult, PreparedAppend
from .base import EventStore
from .history import PreparedEvent, StoredEvent, by_parts, places, without_known
from .reading import EventQuery, lane_of


class MemoryEventStore(EventStore):
    """Forgets everything with the process, and doesn't take part in transactions."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._log: list[RecordedEvent] = []
        self._streams: dict[StreamName, list[RecordedEvent]] = {}
        self._by_id: dict[UUID, RecordedEvent] = {}
        self._snapshots: dict[StreamName, Snapshot] = {}

    def stream_version(self, stream: StreamName) -> int:
        return len(self._streams.get(stream, ())) - 1

    def high_water_mark(self) -> int:
        return len(self._log)

    def save_snapshot(self, stream: StreamName, snapshot: Snapshot) -> None:
        self._snapshots[stream] = deepcopy(snapshot)

    def find_snapshot(self, stream: StreamName) -> Snapshot | None:
        return deepcopy(self._snapshots.get(stream))

    def delete_snapshot(self, stream: StreamName) -> None:
        self._snapshots.pop(stream, None)

    def _append(self, append: PreparedAppend) -> AppendResult:
        return self._append_to_streams([append])[0]

    def _append_to_streams(self, appends: Sequence[PreparedAppend]) -> list[AppendResult]:
        with self._lock:
            replays = [self._replay(append) for append in appends]
            if all(replays):
                return [replay for replay in replays if replay]
            for append, replay in zip(appends, replays, strict=True):
                if replay or any(event_id in self._by_id for event_id in append.event_ids):
                    raise append.duplicate()
                actual = self.stream_version(append.stream)
                if not append.accepts(actual):
                    raise append.conflict(actual)
            return [self._store(append) for append in appends]

    def _replay(self, append: PreparedAppend) -> AppendResult | None:
        ids = set(append.event_ids)
        stored = [event for event in self._streams.get(append.stream, ()) if event.event_id in ids]
        if len(stored) < len(append.rows):
            return None
        return AppendResult(
            stream=append.stream,
            version=stored[-1].sequence_number,
            positions=tuple(event.position for event in stored),
            recorded_at=stored[-1].recorded_at,
            replayed=True,
        )

    def _store(self, append: PreparedAppend) -> AppendResult:
        stream = self._streams.setdefault(append.stream, [])
        recorded_at = datetime.now(UTC)
        # Through text, as in a database: the caller keeps no hold on what is stored.
        for row in json.loads(append.text):
            event = RecordedEvent(
                position=len(self._log) + 1,
                aggregate_type=append.stream.aggregate_type,
                aggregate_id=append.stream.aggregate_id,
                sequence_number=len(stream),
                event_id=UUID(row["event_id"]),
                event_type=row["event_type"],
                event_version=row["event_version"],
                data=row["event_data"],
                metadata=row["metadata"],
                occurred_on=datetime.fromisoformat(row["occurred_on"]),
                recorded_at=recorded_at,
            )
            stream.append(event)
            self._log.append(event)
            self._by_id[event.event_id] = event
        added = stream[-len(append.rows) :]
        return AppendResult(
            stream=append.stream,
            version=added[-1].sequence_number,
            positions=tuple(event.position for event in added),
            recorded_at=recorded_at,
        )

    def _append_history(self, events: Sequence[PreparedEvent]) -> int:
        with self._lock:
            new = without_known(events, self._stored(events))
            versions = {event.past.stream: self.stream_version(event.past.stream) for event in new}
            first = len(self._log) + 1
            numbers = places(new, by_parts(versions), range(first, first + len(new)))
            recorded_at = datetime.now(UTC)
            for event, place in zip(new, numbers, strict=True):
                recorded = replace(
                    event.recorded(place, recorded_at),
                    data=json.loads(event.data_text),
                    metadata=json.loads(event.metadata_text),
                )
                self._streams.setdefault(event.past.stream, []).append(recorded)
                self._log.append(recorded)
                self._by_id[recorded.event_id] = recorded
            return len(new)

    def _stored(self, events: Sequence[PreparedEvent]) -> list[StoredEvent]:
        found = (self._by_id.get(event.past.event_id) for event in events)
        return [
            StoredEvent(*(getattr(event, name) for name in StoredEvent._fields))
            for event in found
            if event is not None
        ]

    def _select(self, query: EventQuery, limit: int) -> list[RecordedEvent]:
        with self._lock:
            if query.aggregate_id is not None and query.aggregate_type is not None:
                name = StreamName(query.aggregate_type, query.aggregate_id)
                candidates = list(self._streams.get(name, ()))
            else:
                candidates = list(self._log)
        found = [event for event in candidates if _matches(query, event)]
        # Copies, as from a database: what a reader does to one doesn't reach the log.
        return [
            replace(event, data=deepcopy(event.data), metadata=deepcopy(event.metadata))
            for event in (found[::-1] if query.backwards else found)[:limit]
        ]


def _matches(query: EventQuery, event: RecordedEvent) -> bool:
    place = getattr(event, query.order.value)
    return (
        (query.first is None or place >= query.first)
        and (query.last is None or place <= query.last)
        and query.aggregate_type in (None, event.aggregate_type)
        and query.aggregate_id in (None, event.aggregate_id)
        and (query.event_types is None or event.event_type in query.event_types)
        and (query.event_ids is None or event.event_id in query.event_ids)
        and query.correlation_id in (None, event.metadata["correlation_id"])
        and query.causation_id in (None, event.metadata["causation_id"])
        and (query.criteria is None or any(each.matches(event) for each in query.criteria))
        and (query.lane is None or lane_of(event.stream, query.lane[1]) == query.lane[0])
    )
