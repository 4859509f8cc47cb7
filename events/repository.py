"""Loads aggregates from their streams and saves what they decided, under optimistic locking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Generic
from uuid import UUID

from .aggregates import AggregateT, EventSourcedAggregate
from .codec import JsonObject
from .conf import events_settings
from .exceptions import AggregateNotFound, InvalidInput, StaleVersion
from .messages import DomainEvent
from .recorded_event import RecordedEvent
from .snapshots import Snapshot
from .store.appending import StreamAppend
from .store.base import EventStore
from .store.configured import event_store
from .streams import StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotVerification:
    """`stored` is the state in the snapshot, `replayed` that of all events up to its version."""

    version: int
    stored: JsonObject
    replayed: JsonObject

    @property
    def matches(self) -> bool:
        return self.stored == self.replayed


class Repository(Generic[AggregateT]):
    """The aggregates of one class. Joins the caller's transaction, if there is one."""

    def __init__(
        self, aggregate_class: type[AggregateT], *, store: EventStore | None = None
    ) -> None:
        aggregate_class.check_declaration()
        self.aggregate_class = aggregate_class
        self._store = store

    @property
    def store(self) -> EventStore:
        return self._store or event_store()

    def load(self, aggregate_id: str | UUID, *, expected_version: int | None = None) -> AggregateT:
        """The current state. Raises AggregateNotFound, or StaleVersion where the caller has seen
        another version than the current one."""
        aggregate = self._load(aggregate_id)
        if expected_version is not None and aggregate.version != expected_version:
            raise StaleVersion(aggregate.stream, expected_version, aggregate.version)
        return aggregate

    def find(self, aggregate_id: str | UUID) -> AggregateT | None:
        """As `load`, but None where the stream has no events."""
        try:
            return self._load(aggregate_id)
        except AggregateNotFound:
            return None

    def load_at_version(self, aggregate_id: str | UUID, version: int) -> AggregateT:
        """The state after the event with this sequence number, or after the last before it."""
        return self._load(aggregate_id, to_version=version)

    def load_at_time(self, aggregate_id: str | UUID, moment: datetime) -> AggregateT:
        """The state before the first event that occurred later than `moment` (`occurred_on`)."""
        if moment.utcoffset() is None:
            raise InvalidInput("moment", "has no offset from UTC")
        return self._load(aggregate_id, to_time=moment, snapshots=False)

    def nearest(self, aggregate_id: str | UUID, version: int) -> AggregateT:
        """To replay from: as the snapshot has it, if that isn't later than the version and can be
        read; otherwise as it is before its first event."""
        aggregate = self._new(aggregate_id)
        if not self._snapshot_every():
            return aggregate
        return self._restored(aggregate, version) or aggregate

    def save(self, aggregate: AggregateT) -> int:
        """Stores the uncommitted events and returns the new version.

        Raises ConcurrencyError when others saved this aggregate since it was loaded.
        """
        save_all([aggregate], store=self.store)
        return aggregate.version

    def verify_snapshot(self, aggregate_id: str | UUID) -> SnapshotVerification | None:
        """Compares the snapshot with a full replay; None where there is no usable one."""
        stored = self._restored(self._new(aggregate_id), None)
        if stored is None:
            return None
        replayed = self._load(aggregate_id, to_version=stored.version, snapshots=False)
        # Both encoded anew: a database may have spelt numbers in another way.
        return SnapshotVerification(
            version=stored.version, stored=stored.to_snapshot(), replayed=replayed.to_snapshot()
        )

    def _new(self, aggregate_id: str | UUID) -> AggregateT:
        return self.aggregate_class(aggregate_id)

    def _snapshot_every(self) -> int | None:
        return _snapshot_every(self.aggregate_class)

    def _load(
        self,
        aggregate_id: str | UUID,
        *,
        to_version: int | None = None,
        to_time: datetime | None = None,
        snapshots: bool = True,
    ) -> AggregateT:
        aggregate = self._new(aggregate_id)
        if snapshots and self._snapshot_every():
            aggregate = self._restored(aggregate, to_version) or aggregate
        history: Iterable[RecordedEvent] = self.store.read_stream(
            aggregate.stream, from_version=aggregate.version + 1, to_version=to_version
        )
        if to_time is not None:
            history = takewhile(lambda recorded: recorded.occurred_on <= to_time, history)
        aggregate.replay(_numbered(history))
        if aggregate.version < 0:
            raise AggregateNotFound(aggregate.stream)
        return aggregate

    def _restored(self, empty: AggregateT, to_version: int | None) -> AggregateT | None:
        snapshot = self._usable_snapshot(empty.stream)
        if snapshot is None or (to_version is not None and snapshot.version > to_version):
            return None
        aggregate = self._new(empty.id)
        try:
            aggregate.restore(snapshot)
        except (LookupError, TypeError, ValueError, AttributeError):
            # A snapshot is a shortcut: one that can't be read costs a replay, not the request.
            return None
        return aggregate

    def _usable_snapshot(self, stream: StreamName) -> Snapshot | None:
        snapshot = self.store.find_snapshot(stream)
        current = self.aggregate_class.snapshot_schema_version
        return snapshot if snapshot and snapshot.schema_version == current else None


def save_all(
    aggregates: Iterable[EventSourcedAggregate], *, store: EventStore | None = None
) -> None:
    """Stores the uncommitted events of several aggregates, of any classes, all or none. The log has
    them in this order. Raises ConcurrencyError when others saved one of them since it was loaded.
    """
    changed = [aggregate for aggregate in aggregates if aggregate.uncommitted_events]
    if not changed:
        return
    store = store or event_store()
    results = store.append_to_streams(
        [
            StreamAppend(aggregate.stream, aggregate.uncommitted_events, aggregate.version)
            for aggregate in changed
        ]
    )
    for aggregate, result in zip(changed, results, strict=True):
        aggregate.mark_committed(result.version)
        every = _snapshot_every(type(aggregate))
        if every and aggregate.events_since_snapshot() >= every:
            store.save_snapshot(aggregate.stream, aggregate.take_snapshot())


def _snapshot_every(aggregate_class: type[EventSourcedAggregate]) -> int | None:
    every = aggregate_class.snapshot_every
    return events_settings().snapshot_every if every is None else every


def _numbered(history: Iterable[RecordedEvent]) -> Iterator[tuple[int, DomainEvent]]:
    return ((recorded.sequence_number, recorded.event) for recorded in history)
