"""What the errors of failed events may quote: the personal values of their events as they were
stored or received, as an operator has edited them, and as the code reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias
from uuid import UUID

from ..exceptions import EventsError
from ..models import DeadMessage, Event, FailedEvent, ReceivedEvent
from ..personal import personal_values
from ..personal.shapes import Shape, Untyped, shape_of
from ..registry import event_types
from .queries import in_log_database

#: Data with the version of the event type that it has.
_Form: TypeAlias = tuple[int, Any]


def quoted_values(rows: Iterable[FailedEvent]) -> dict[int, frozenset[str]]:
    """By the id of the failed event. A bounded number of statements for all of them, and none
    where their types have nothing personal."""
    shapes = {row: shape for row in rows if (shape := _shape(row.event_type)) is not None}
    if not shapes:
        return {}
    edited, stored = _edited(shapes), _stored(shapes)
    return {
        row.pk: frozenset(
            value
            for form in (*edited.get(row.pk, []), *stored.get(row.event_id, []))
            for data in _as_read(row.event_type, *form)
            for value in personal_values(data, shape)
        )
        for row, shape in shapes.items()
    }


def _shape(event_type: str) -> Shape:
    """Of a type that no class describes, what any class calls personal."""
    cls = event_types.find(event_type)
    return Untyped() if cls is None else shape_of(cls)


def _as_read(event_type: str, version: int, data: Any) -> Iterator[Any]:
    yield data
    try:
        yield event_types.current_data(event_type, version, data)
    except EventsError:
        return


def _edited(rows: Iterable[FailedEvent]) -> dict[int, list[_Form]]:
    chosen = in_log_database(FailedEvent.objects.filter(pk__in=[row.pk for row in rows]))
    found = chosen.filter(edited__isnull=False).values_list("pk", "edited")
    return {pk: [(edited["event_version"], edited["data"])] for pk, edited in found}


def _stored(rows: Iterable[FailedEvent]) -> dict[UUID, list[_Form]]:
    """In the log; else, what a queue has brought."""
    rows = list(rows)
    found: dict[UUID, list[_Form]] = {}
    for model in (Event, ReceivedEvent):
        if missing := {row.event_id for row in rows} - found.keys():
            events = in_log_database(model._default_manager.filter(event_id__in=missing))
            forms = events.values_list("event_id", "event_version", "event_data")
            found |= {event_id: [(version, data)] for event_id, version, data in forms}
    return found | _dead([row for row in rows if row.event_id not in found])


def _dead(rows: list[FailedEvent]) -> dict[UUID, list[_Form]]:
    """Of messages that were given up before they were stored."""
    chosen = in_log_database(DeadMessage.objects.filter(failed_event__in=rows))
    messages = list(chosen) if rows else []
    if not messages:
        return {}
    from ..rabbitmq.messages import IncomingMessage, recorded_event_of

    found: dict[UUID, list[_Form]] = {}
    for row in messages:
        message = IncomingMessage(body=bytes(row.body), properties=row.properties)
        try:
            event = recorded_event_of(message)
        except EventsError:
            continue
        found[event.event_id] = [(event.event_version, dict(event.data))]
    return found
