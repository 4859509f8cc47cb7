"""The store for SQLite, and for any other database that Django knows.

Appends queue on one row until they are committed, so positions become visible in their order and
the last one is the high-water mark. SQLite has a single writer anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from ..bus.patterns import Criterion
from ..models import AggregateVersion, AppendLock, Event
from ..recorded_event import RecordedEvent
from ..streams import StreamName
from .appending import AppendResult, PreparedAppend
from .database import DatabaseEventStore
from .history import PreparedEvent, StoredEvent, Written, by_parts, places, without_known
from .reading import EventQuery, lane_of
from .rows import COLUMNS, recorded_event

ValueT = TypeVar("ValueT")


class OrmEventStore(DatabaseEventStore):
    """Writes through Django's ORM, several statements in one transaction."""

    def high_water_mark(self) -> int:
        return self._events.aggregate(last=Max("position"))["last"] or 0

    @property
    def _events(self) -> QuerySet[Event]:
        return Event.objects.using(self.using)

    def _write(self, append: PreparedAppend) -> AppendResult:
        return self._write_to_streams([append])[0]

    def _write_to_streams(self, appends: Sequence[PreparedAppend]) -> list[AppendResult]:
        with transaction.atomic(using=self.using):
            self._queue()
            replays = [self._replay(append) for append in appends]
            if all(replays):
                return [replay for replay in replays if replay]
            for append, replay in zip(appends, replays, strict=True):
                if replay:
                    raise append.duplicate()
            return [self._insert(append) for append in appends]

    def _queue(self) -> None:
        """Waits for all appends before this one. A write, so that SQLite's transaction starts with
        one: a transaction that reads before it writes fails at once when another has written."""
        locks = AppendLock.objects.using(self.using).filter(pk=1)
        if not locks.update(taken_at=timezone.now()):
            AppendLock.objects.using(self.using).bulk_create(
                [AppendLock(pk=1)], ignore_conflicts=True
            )
            locks.update(taken_at=timezone.now())

    def _replay(self, append: PreparedAppend) -> AppendResult | None:
        stored = list(self._stored(append))
        if not stored:
            return None
        stream = (append.stream.aggregate_type, append.stream.aggregate_id)
        if len(stored) < len(append.rows) or any(row[:2] != stream for row in stored):
            raise append.duplicate()
        return AppendResult(
            stream=append.stream,
            version=stored[-1][2],
            positions=tuple(row[3] for row in stored),
            recorded_at=stored[-1][4],
            replayed=True,
        )

    def _stored(self, append: PreparedAppend) -> list[tuple[str, str, int, int, datetime]]:
        """Those of the event ids that are taken."""
        columns = ("aggregate_type", "aggregate_id", "sequence_number", "position", "recorded_at")
        rows = self._by_event_id(append.event_ids, *columns)
        return sorted(rows, key=lambda row: row[3])

    def _insert(self, append: PreparedAppend) -> AppendResult:
        now = timezone.now()
        version = self._advance(append, now)
        first = version - len(append.rows) + 1
        stored = self._events.bulk_create(
            [
                Event(
                    event_id=event.event_id,
                    aggregate_id=append.stream.aggregate_id,
                    aggregate_type=append.stream.aggregate_type,
                    event_type=row["event_type"],
                    event_version=row["event_version"],
                    sequence_number=first + index,
                    event_data=row["event_data"],
                    metadata=row["metadata"],
                    correlation_id=row["metadata"]["correlation_id"],
                    causation_id=row["metadata"]["causation_id"],
                    occurred_on=event.occurred_on,
                    recorded_at=now,
                )
                for index, (event, row) in enumerate(zip(append.events, append.rows, strict=True))
            ]
        )
        return AppendResult(
            stream=append.stream,
            version=version,
            positions=self._positions(append, stored, first),
            recorded_at=now,
        )

    def _positions(
        self, append: PreparedAppend, stored: Sequence[Event], first: int
    ) -> tuple[int, ...]:
        if self.connection.features.can_return_rows_from_bulk_insert:
            return tuple(event.position for event in stored)
        rows = self._events.filter(
            aggregate_type=append.stream.aggregate_type,
            aggregate_id=append.stream.aggregate_id,
            sequence_number__gte=first,
        )
        return tuple(rows.order_by("sequence_number").values_list("position", flat=True))

    def _advance(self, append: PreparedAppend, now: datetime) -> int:
        """The stream's version after the append."""
        actual, added = self.stream_version(append.stream), len(append.rows)
        if not append.accepts(actual):
            raise append.conflict(actual)
        rows = AggregateVersion.objects.using(self.using)
        name = {
            "aggregate_type": append.stream.aggregate_type,
            "aggregate_id": append.stream.aggregate_id,
        }
        if actual < 0:
            rows.create(**name, version=added - 1, created_at=now, updated_at=now)
        else:
            rows.filter(**name).update(version=F("version") + added, updated_at=now)
        return actual + added

    def _write_history(self, events: Sequence[PreparedEvent]) -> Written:
        self._queue()
        now = timezone.now()
        new = without_known(events, self._stored_events(events))
        versions = self._versions({event.past.stream for event in new})
        # Their positions aren't known yet, and not needed to number them.
        numbers = [
            place.sequence_number for place in places(new, by_parts(versions), [0] * len(new))
        ]
        stored = self._events.bulk_create(
            [
                Event(
                    event_id=event.past.event_id,
                    aggregate_id=event.past.stream.aggregate_id,
                    aggregate_type=event.past.stream.aggregate_type,
                    event_type=event.past.event_type,
                    event_version=event.past.event_version,
                    sequence_number=number,
                    event_data=event.past.data,
                    metadata=event.metadata,
                    correlation_id=event.metadata["correlation_id"],
                    causation_id=event.metadata["causation_id"],
                    occurred_on=event.past.occurred_on,
                    recorded_at=now,
                )
                for event, number in zip(new, numbers, strict=True)
            ]
        )
        last = {event.past.stream: number for event, number in zip(new, numbers, strict=True)}
        self._set_versions(last, now)
        positions = self._drawn(stored)
        return Written(
            events=new, places=places(new, by_parts(versions), positions), recorded_at=now
        )

    def _stored_events(self, events: Sequence[PreparedEvent]) -> list[StoredEvent]:
        rows = self._by_event_id([event.past.event_id for event in events], *StoredEvent._fields)
        return [StoredEvent(*row) for row in rows]

    def _drawn(self, stored: Sequence[Event]) -> list[int]:
        if self.connection.features.can_return_rows_from_bulk_insert:
            return [event.position for event in stored]
        ids = [event.event_id for event in stored]
        by_id = dict(self._by_event_id(ids, "event_id", "position"))
        return [by_id[event_id] for event_id in ids]

    def _versions(self, streams: Iterable[StreamName]) -> dict[StreamName, int]:
        """Where they stand, -1 where there is no such stream."""
        ids: dict[str, list[str]] = {}
        for stream in streams:
            ids.setdefault(stream.aggregate_type, []).append(stream.aggregate_id)
        found = {StreamName(category, name): -1 for category in ids for name in ids[category]}
        rows = AggregateVersion.objects.using(self.using)
        for category, names in ids.items():
            for chunk in _chunks(names):
                there = rows.filter(aggregate_type=category, aggregate_id__in=chunk)
                for name, version in there.values_list("aggregate_id", "version"):
                    found[StreamName(category, name)] = version
        return found

    def _set_versions(self, versions: Mapping[StreamName, int], now: datetime) -> None:
        AggregateVersion.objects.using(self.using).bulk_create(
            [
                AggregateVersion(
                    aggregate_type=stream.aggregate_type,
                    aggregate_id=stream.aggregate_id,
                    version=version,
                    created_at=now,
                    updated_at=now,
                )
                for stream, version in versions.items()
            ],
            update_conflicts=True,
            unique_fields=["aggregate_type", "aggregate_id"],
            update_fields=["version", "updated_at"],
        )

    def _by_event_id(self, ids: Sequence[UUID], *columns: str) -> list[tuple[Any, ...]]:
        """In chunks below SQLite's limit of parameters."""
        return [
            row
            for chunk in _chunks(ids)
            for row in self._events.filter(event_id__in=chunk).values_list(*columns)
        ]

    def _select(self, query: EventQuery, limit: int) -> list[RecordedEvent]:
        return select(self._events, query, limit)


def select(events: QuerySet[Any], query: EventQuery, limit: int) -> list[RecordedEvent]:
    """Of a table with the columns of events."""
    place = query.order.value
    conditions = {
        "aggregate_type": query.aggregate_type,
        "aggregate_id": query.aggregate_id,
        "event_type__in": query.event_types,
        "event_id__in": query.event_ids,
        "correlation_id": query.correlation_id,
        "causation_id": query.causation_id,
        f"{place}__gte": query.first,
        f"{place}__lte": query.last,
    }
    rows = (
        events.filter(**{k: v for k, v in conditions.items() if v is not None})
        .filter(_any_of(query.criteria))
        .order_by(f"-{place}" if query.backwards else place)
        .values_list(*COLUMNS)
    )
    if query.lane is None:
        return [recorded_event(row, row[7], row[8]) for row in rows[:limit]]
    of_lane = (row for row in rows.iterator() if _is_of_lane(row, *query.lane))
    return [recorded_event(row, row[7], row[8]) for row in islice(of_lane, limit)]


def _chunks(values: Sequence[ValueT], size: int = 500) -> Iterator[Sequence[ValueT]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _any_of(criteria: Sequence[Criterion] | None) -> Q:
    if criteria is None or any(criterion.is_everything for criterion in criteria):
        return Q()
    given = [
        {name: value for name, value in asdict(criterion).items() if value is not None}
        for criterion in criteria
    ]
    return reduce(or_, (Q(**conditions) for conditions in given))


def _is_of_lane(row: Sequence[Any], number: int, lanes: int) -> bool:
    return lane_of(StreamName(row[1], row[2]), lanes) == number
