"""What the page of one stream shows: its events, and what each did to the state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..models import AggregateVersion, Event
from ..streams import StreamName
from . import queries
from .aggregate_classes import find_aggregate_class
from .details import visible_url
from .differences import Difference, shown_differences
from .disclosure import Disclosure, disclosure_of
from .extensions import explorer
from .index_range import Cursor, IndexRange
from .links import events_url, object_url, state_url
from .paging import InvalidCursor, cursor_of, page_links, read_page
from .permissions import may_view
from .presentation import duration
from .states import History, Problem, TooManySteps

EVENTS_PER_PAGE = 25
#: Of one event that the timeline shows.
MAX_CHANGES = 6
#: Between two events of a stream: a longer one is marked.
MARKED_REST_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    event: Event
    url: str
    state_url: str
    changes: list[Difference]
    more_changes: int
    #: Since the event before it on this page, where that was long ago.
    rest: str
    has_snapshot: bool
    problem: Problem | None


def stream_details(
    site: AdminSite, request: HttpRequest, stream: AggregateVersion
) -> dict[str, Any]:
    name = StreamName(stream.aggregate_type, stream.aggregate_id)
    snapshot = queries.find_snapshot(stream)
    snapshot_url = visible_url(site, request, snapshot)
    context = {
        "title": str(stream),
        "subtitle": "",
        "facts": _facts(stream),
        "snapshot": snapshot if snapshot_url else None,
        "snapshot_url": snapshot_url,
        "links": explorer.links(request, name),
        "panels": list(explorer.panels(request, name)),
    }
    if not may_view(site, request, Event):
        return context
    page = _page(request, stream)
    changes, problem, why_not = _changes(disclosure_of(request), stream, page.rows)
    return {
        **context,
        "page": page,
        "rows": _rows(
            site,
            stream,
            page.rows,
            changes,
            problem,
            snapshot.version if snapshot and snapshot_url else None,
        ),
        "problem": problem,
        "no_changes": why_not,
        "state_url": state_url(site, stream.pk),
        "list_url": events_url(site, stream=str(stream)),
        "pages": page_links(page, dict(request.GET.lists())),
    }


def _facts(stream: AggregateVersion) -> list[tuple[Any, Any]]:
    cls = find_aggregate_class(stream.aggregate_type)
    return [
        (_("Category"), stream.aggregate_type),
        (_("Events"), stream.version + 1),
        (_("First event"), stream.created_at),
        (_("Last event"), stream.updated_at),
        (_("Class"), f"{cls.__module__}.{cls.__qualname__}" if cls else _("none in this process")),
    ]


def _page(request: HttpRequest, stream: AggregateVersion) -> Any:
    newest_first = IndexRange(["-sequence_number"])
    try:
        cursor = cursor_of(request.GET, newest_first, Event)
    except InvalidCursor:
        cursor = Cursor()
    return read_page(queries.events_of_stream(stream), newest_first, cursor, EVENTS_PER_PAGE)


def _changes(
    disclosure: Disclosure, stream: AggregateVersion, events: list[Event]
) -> tuple[dict[int, list[Difference]], Problem | None, str]:
    """By sequence number; and why there are none, if so."""
    cls = find_aggregate_class(stream.aggregate_type)
    if cls is None:
        return {}, None, _("No class of this process has this category: its state is not known.")
    if not events:
        return {}, None, ""
    name = StreamName(stream.aggregate_type, stream.aggregate_id)
    history = History(cls, name)
    last, first = events[0].sequence_number, events[-1].sequence_number
    changes: dict[int, list[Difference]] = {}
    problem = None
    try:
        for step in history.steps(first, last):
            shown = [
                disclosure.state(str(name), cls, state, history.personal)
                for state in (step.before, step.after)
            ]
            changes[step.recorded.sequence_number] = shown_differences(
                step.before, step.after, *shown, limit=MAX_CHANGES + 1
            )
            problem = step.problem
    except TooManySteps as error:
        return (
            {},
            None,
            _("What each event changed is not shown: %(steps)d would be replayed.")
            % {"steps": error.steps},
        )
    return changes, _hidden(disclosure, str(name), problem, history), ""


def _hidden(
    disclosure: Disclosure, stream: str, problem: Problem | None, history: History
) -> Problem | None:
    if problem is None:
        return None
    return replace(
        problem,
        message=disclosure.text(stream, problem.message, history.personal),
        traceback=disclosure.text(stream, problem.traceback, history.personal),
    )


def _rows(
    site: AdminSite,
    stream: AggregateVersion,
    events: list[Event],
    changes: dict[int, list[Difference]],
    problem: Problem | None,
    snapshot_version: int | None,
) -> list[TimelineRow]:
    earlier: list[Event | None] = [*events[1:], None][: len(events)]
    return [
        TimelineRow(
            event=event,
            url=object_url(site, Event, event.position),
            state_url=state_url(site, stream.pk, version=event.sequence_number),
            changes=changes.get(event.sequence_number, [])[:MAX_CHANGES],
            more_changes=max(0, len(changes.get(event.sequence_number, [])) - MAX_CHANGES),
            rest=_rest(before.recorded_at, event.recorded_at) if before else "",
            has_snapshot=event.sequence_number == snapshot_version,
            problem=problem if problem and problem.version == event.sequence_number else None,
        )
        for event, before in zip(events, earlier, strict=True)
    ]


def _rest(before: datetime, at: datetime) -> str:
    passed = at - before
    return duration(passed) if passed.total_seconds() >= MARKED_REST_SECONDS else ""
