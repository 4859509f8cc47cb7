"""What the pages read. Every statement is a short range of one index, whatever the table's size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from django.db import connections
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import NullIf

from ..conf import events_settings
from ..models import AggregateVersion, Event, FailedEvent, Snapshot
from ..recorded_event import RecordedEvent
from .index_range import Cursor, IndexRange
from .json_fields import JsonField

RowT = TypeVar("RowT", bound=Model)
StreamRow: TypeAlias = AggregateVersion | Event | FailedEvent | RecordedEvent | Snapshot

MAX_STORED_VALUES = 100
MAX_CATEGORIES = 1000
MAX_CHILDREN = 20

# A loose index scan: one probe of the index for each value, where DISTINCT reads all rows.
_STORED_VALUES = """
    WITH RECURSIVE stored (value) AS (
        SELECT MIN({column}) FROM {table} {start}
        UNION ALL
        SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > stored.value)
        FROM stored WHERE stored.value IS NOT NULL
    )
    SELECT value FROM stored WHERE value IS NOT NULL LIMIT %s
"""


def stored_values(
    model: type[Model], column: str, *, after: str | None = None, limit: int = MAX_STORED_VALUES
) -> list[str]:
    """The first values of a column that an index starts with, or the first ones after another."""
    connection = connections[events_settings().database]
    quote = connection.ops.quote_name
    statement = _STORED_VALUES.format(
        column=quote(column),
        table=quote(model._meta.db_table),
        start="" if after is None else f"WHERE {quote(column)} > %s",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [limit] if after is None else [after, limit])
        return [value for (value,) in cursor.fetchall()]


def in_log_database(queryset: QuerySet[Any]) -> QuerySet[Any]:
    return queryset.using(events_settings().database)


def with_actor(events: QuerySet[Event]) -> QuerySet[Any]:
    """With the one key of the metadata that a list shows, as `actor_id`."""
    # SQLite gives a null in the JSON as a text.
    null = Value("null", output_field=TextField())
    return events.annotate(actor_id=NullIf(KT("metadata__user_id"), null))


def event_heads() -> QuerySet[Event]:
    """Events without what may be large in them."""
    return in_log_database(Event.objects.defer("event_data", "metadata"))


def stream_name(row: StreamRow) -> str:
    return f"{row.aggregate_type}-{row.aggregate_id}"


def events_of_stream(row: AggregateVersion | Event | Snapshot) -> QuerySet[Event]:
    return event_heads().filter(aggregate_type=row.aggregate_type, aggregate_id=row.aggregate_id)


def recorded(event: Event) -> RecordedEvent:
    """As other code of the host knows it."""
    return RecordedEvent(
        position=event.position,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        sequence_number=event.sequence_number,
        event_id=event.event_id,
        event_type=event.event_type,
        event_version=event.event_version,
        data=event.event_data,
        metadata=event.metadata,
        occurred_on=event.occurred_on,
        recorded_at=event.recorded_at,
    )


def previous_in_stream(event: Event) -> Event | None:
    earlier = events_of_stream(event).filter(sequence_number__lt=event.sequence_number)
    return earlier.order_by("-sequence_number").first()


def next_in_stream(event: Event) -> Event | None:
    later = events_of_stream(event).filter(sequence_number__gt=event.sequence_number)
    return later.order_by("sequence_number").first()


def find_parent(event: Event) -> Event | None:
    """None where something else than an event was the cause: a command, or nothing."""
    event_id = as_uuid(event.causation_id or "")
    return _one(event_heads().filter(event_id=event_id)) if event_id else None


def children(event: Event) -> list[Event]:
    """One more than MAX_CHILDREN where there are more."""
    caused = IndexRange(["position"], {"causation_id": str(event.event_id)})
    return list(caused.rows(event_heads(), Cursor())[: MAX_CHILDREN + 1])


def find_stream(row: AggregateVersion | Event | Snapshot) -> AggregateVersion | None:
    rows: QuerySet[AggregateVersion] = in_log_database(AggregateVersion.objects.all())
    return _one(rows.filter(aggregate_type=row.aggregate_type, aggregate_id=row.aggregate_id))


def find_snapshot(row: AggregateVersion) -> Snapshot | None:
    rows: QuerySet[Snapshot] = in_log_database(Snapshot.objects.defer("snapshot_data"))
    return _one(rows.filter(aggregate_type=row.aggregate_type, aggregate_id=row.aggregate_id))


def with_stream(rows: QuerySet[Any], name_or_id: str) -> QuerySet[Any]:
    """Those of the stream of this name, or else of all streams of an aggregate with this id; all,
    if the text is empty."""
    if not name_or_id:
        return rows
    # With the types, the index on (type, id) serves an id alone. There are few.
    categories = stored_values(rows.model, "aggregate_type", limit=MAX_CATEGORIES)
    category, _, aggregate_id = name_or_id.partition("-")
    if category in categories and aggregate_id:
        return rows.filter(aggregate_type=category, aggregate_id=aggregate_id)
    return rows.filter(aggregate_type__in=categories, aggregate_id__in=spellings(name_or_id))


def places_of(word: str, fields: Mapping[JsonField, Sequence[str]]) -> list[tuple[str, str]]:
    """Where an id or a name occurs: qualifiers of the search, and values for them. `fields` have
    an index; of each, the event types in which it isn't looked for."""
    heads, event_id = event_heads(), as_uuid(word)
    places = []
    if event_id and heads.filter(event_id=event_id).exists():
        places.append(("id", str(event_id)))
    streams: QuerySet[AggregateVersion] = in_log_database(AggregateVersion.objects.all())
    found = with_stream(streams, word)[:MAX_STORED_VALUES]
    places += [("stream", str(stream)) for stream in found]
    for qualifier, column in (
        ("correlation", "correlation_id"),
        ("cause", "causation_id"),
        ("type", "event_type"),
    ):
        places += [
            (qualifier, spelling)
            for spelling in spellings(word)
            if IndexRange(["position"], {column: spelling}).rows(heads, Cursor())[:1]
        ]
    for field, closed in fields.items():
        values = heads.exclude(event_type__in=closed).annotate(**{field.alias: field.expression()})
        found_in = IndexRange(["position"], {field.alias: word}).rows(values, Cursor())
        if found_in.values_list("position")[:1]:
            places.append((str(field), word))
    return places


def _one(rows: QuerySet[RowT]) -> RowT | None:
    """As `first`, which would sort them."""
    return next(iter(rows[:1]), None)


def spellings(word: str) -> list[str]:
    """As it was typed and, where that differs, as this app writes a UUID."""
    return list(dict.fromkeys((word, str(as_uuid(word) or word))))


def as_uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None
