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
from .current_form import current_form
from .index_range import Cursor, IndexRange
from .links import events_link, events_url, object_url
from .paging import InvalidCursor, cursor_of, page_links, read_page
from .permissions import may_view
from .presentation import moment, pretty_json

EVENTS_PER_PAGE = 25


def event_details(site: AdminSite, request: HttpRequest, event: Event) -> dict[str, Any]:
    parent, children = queries.find_parent(event), queries.children(event)
    current, stored_data = current_form(event), pretty_json(event.event_data)
    return {
        "data": stored_data,
        "metadata": pretty_json(event.metadata),
        "current": current,
        "is_upcast": current.data is not None and current.data != stored_data,
        "previous_url": _url(site, queries.previous_in_stream(event)),
        "next_url": _url(site, queries.next_in_stream(event)),
        "stream_url": _url_if_visible(site, request, queries.find_stream(event)),
        "parents": event_rows(site, [parent] if parent else []),
        "children": event_rows(site, children[: queries.MAX_CHILDREN]),
        "all_children_url": (
            events_url(site, cause=str(event.event_id))
            if len(children) > queries.MAX_CHILDREN
            else None
        ),
    }


def stream_details(
    site: AdminSite, request: HttpRequest, stream: AggregateVersion
) -> dict[str, Any]:
    snapshot = queries.find_snapshot(stream)
    snapshot_url = _url_if_visible(site, request, snapshot)
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
        "stream_url": _url_if_visible(site, request, queries.find_stream(snapshot)),
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


def _url(site: AdminSite, row: Model | None) -> str | None:
    return object_url(site, type(row), row.pk) if row else None


def _url_if_visible(site: AdminSite, request: HttpRequest, row: Model | None) -> str | None:
    return _url(site, row) if row and may_view(site, request, type(row)) else None
