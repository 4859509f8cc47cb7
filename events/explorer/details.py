"""What the page of one row shows besides its columns: the template's context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest

from ..models import AggregateVersion, Event, Snapshot
from ..recorded_event import RecordedEvent
from . import queries
from .index_range import Cursor, IndexRange
from .links import events_link, object_url
from .paging import InvalidCursor, cursor_of, page_links, read_page
from .permissions import may_view
from .presentation import moment, pretty_json

EVENTS_PER_PAGE = 25


def stream_details(
    site: AdminSite, request: HttpRequest, stream: AggregateVersion
) -> dict[str, Any]:
    snapshot = queries.find_snapshot(stream)
    snapshot_url = visible_url(site, request, snapshot)
    context = {"snapshot": snapshot if snapshot_url else None, "snapshot_url": snapshot_url}
    if not may_view(site, request, Event):
        return context
    newest_first = IndexRange(["-sequence_number"])
    try:
        cursor = cursor_of(request.GET, newest_first, Event)
    except InvalidCursor:
        cursor = Cursor()
    page = read_page(queries.events_of_stream(stream), newest_first, cursor, EVENTS_PER_PAGE)
    return {
        **context,
        "page": page,
        "events": event_rows(site, page.rows),
        "links": page_links(page, dict(request.GET.lists())),
    }


def snapshot_details(site: AdminSite, request: HttpRequest, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "data": pretty_json(snapshot.snapshot_data),
        "stream_url": visible_url(site, request, queries.find_stream(snapshot)),
    }


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
