"""What the two database stores share: snapshots, versions, the signal inside the transaction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from .. import models
from ..conf import events_settings
from ..delivery.wake_ups import wake_after_commit
from ..recorded_event import RecordedEvent
from ..signals import events_appended, events_committed
from ..snapshots import Snapshot
from ..streams import StreamName
from .appending import AppendResult, PreparedAppend
from .base import EventStore
from .history import PreparedEvent, Written


class DatabaseEventStore(EventStore):
    """Keeps the log in the database alias `using`, `EVENTS["database"]` by default."""

    def __init__(self, using: str | None = None) -> None:
        self.using = using or events_settings().database

    @property
    def connection(self) -> BaseDatabaseWrapper:
        return connections[self.using]

    def stream_version(self, stream: StreamName) -> int:
        version = (
            models.AggregateVersion.objects.using(self.using)
            .filter(aggregate_type=stream.aggregate_type, aggregate_id=stream.aggregate_id)
            .values_list("version", flat=True)
            .first()
        )
        return -1 if version is None else version

    # --- snapshots ---

    def save_snapshot(self, stream: StreamName, snapshot: Snapshot) -> None:
        row = models.Snapshot(
            aggregate_type=stream.aggregate_type,
            aggregate_id=stream.aggregate_id,
            version=snapshot.version,
            schema_version=snapshot.schema_version,
            snapshot_data=snapshot.data,
            created_at=snapshot.created_at,
        )
        models.Snapshot.objects.using(self.using).bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["aggregate_type", "aggregate_id"],
            update_fields=["version", "schema_version", "snapshot_data", "created_at"],
        )

    def find_snapshot(self, stream: StreamName) -> Snapshot | None:
        row = self._snapshots(stream).first()
        if row is None:
            return None
        return Snapshot(
            version=row.version,
            schema_version=row.schema_version,
            data=row.snapshot_data,
            created_at=row.created_at,
        )

    def delete_snapshot(self, stream: StreamName) -> None:
        self._snapshots(stream).delete()

    def _snapshots(self, stream: StreamName) -> QuerySet[models.Snapshot]:
        return models.Snapshot.objects.using(self.using).filter(
            aggregate_type=stream.aggregate_type, aggregate_id=stream.aggregate_id
        )

    # --- append ---

    def _append(self, append: PreparedAppend) -> AppendResult:
        if not events_appended.has_listeners(type(self)):
            result = self._write(append)
        else:
            with transaction.atomic(using=self.using):
                result = self._write(append)
                self._send_appended([append], [result])
        self._announce_commit([append], [result])
        return result

    def _append_to_streams(self, appends: Sequence[PreparedAppend]) -> list[AppendResult]:
        if not events_appended.has_listeners(type(self)):
            results = self._write_to_streams(appends)
        else:
            with transaction.atomic(using=self.using):
                results = self._write_to_streams(appends)
                self._send_appended(appends, results)
        self._announce_commit(appends, results)
        return results

    def _append_history(self, events: Sequence[PreparedEvent]) -> int:
        with transaction.atomic(using=self.using):
            written = self._write_history(events)
            if written.events and events_appended.has_listeners(type(self)):
                events_appended.send(sender=type(self), events=written.recorded(), using=self.using)
        if written.events:
            wake_after_commit(self.using)
            if events_committed.has_listeners(type(self)):
                self._send_on_commit(written.recorded())
        return len(written.events)

    def _send_appended(
        self, appends: Sequence[PreparedAppend], results: Sequence[AppendResult]
    ) -> None:
        events = _new_events(appends, results)
        if events:
            events_appended.send(sender=type(self), events=events, using=self.using)

    def _announce_commit(
        self, appends: Sequence[PreparedAppend], results: Sequence[AppendResult]
    ) -> None:
        """At once, if there is no transaction that is still to be committed."""
        wake_after_commit(self.using)
        if events_committed.has_listeners(type(self)) and (events := _new_events(appends, results)):
            self._send_on_commit(events)

    def _send_on_commit(self, events: Sequence[RecordedEvent]) -> None:
        send = partial(
            events_committed.send_robust, sender=type(self), events=events, using=self.using
        )
        transaction.on_commit(send, using=self.using, robust=True)

    @abstractmethod
    def _write(self, append: PreparedAppend) -> AppendResult:
        """All or nothing by itself. Raises ConcurrencyError or DuplicateEventId."""

    @abstractmethod
    def _write_to_streams(self, appends: Sequence[PreparedAppend]) -> list[AppendResult]: ...

    @abstractmethod
    def _write_history(self, events: Sequence[PreparedEvent]) -> Written:
        """Called inside a transaction. Raises DuplicateEventId."""


def _new_events(
    appends: Sequence[PreparedAppend], results: Sequence[AppendResult]
) -> list[RecordedEvent]:
    return [
        event
        for append, result in zip(appends, results, strict=True)
        if not result.replayed
        for event in _recorded(append, result)
    ]


def _recorded(append: PreparedAppend, result: AppendResult) -> list[RecordedEvent]:
    """What a read of the rows just written would give."""
    first = result.version - len(append.rows) + 1
    return [
        RecordedEvent(
            position=position,
            aggregate_type=append.stream.aggregate_type,
            aggregate_id=append.stream.aggregate_id,
            sequence_number=first + index,
            event_id=event.event_id,
            event_type=event.event_type,
            event_version=event.event_version,
            data=row["event_data"],
            metadata=row["metadata"],
            occurred_on=event.occurred_on,
            recorded_at=result.recorded_at,
        )
        for index, (event, row, position) in enumerate(
            zip(append.events, append.rows, result.positions, strict=True)
        )
    ]
