"""Parts that several pages show of rows: links to them, tables of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest

from ..models import Event
from ..recorded_event import RecordedEvent
from . import queries
from .links import events_link, object_url
from .permissions import may_view
from .presentation import moment

EVENTS_PER_PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Of a table of events in the page of something else."""

    event: Event | RecordedEvent
    url: str
    stream_link: str
    recorded_at: str


def event_rows(site: AdminSite, events: Sequence[Event | RecordedEvent]) -> list[EventRow]:
    return [
        EventRow(
            event=event,
            url=object_url(site, Event, event.position),
            stream_link=events_link(site, stream=queries.stream_name(event)),
            recorded_at=moment(event.recorded_at),
        )
        for event in events
    ]


def visible_url(site: AdminSite, request: HttpRequest, row: Model | None) -> str | None:
    if row is None or not may_view(site, request, type(row)):
        return None
    return object_url(site, type(row), row.pk)
