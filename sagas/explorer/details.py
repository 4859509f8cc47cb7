"""What the page of one saga shows besides its row: the template's context."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext as _

from events.exceptions import EventsError
from events.explorer.details import EVENTS_PER_PAGE, event_rows
from events.explorer.disclosure import disclosure_of
from events.explorer.index_range import Cursor, IndexRange
from events.explorer.links import events_url, list_url, page_url
from events.explorer.paging import InvalidCursor, cursor_of, page_links, read_page
from events.explorer.permissions import may_view
from events.explorer.presentation import badge, duration
from events.explorer.queries import event_heads, in_log_database
from events.models import Event, OperatorAction

from ..choreography import choreographies
from ..clock import database_time
from ..exceptions import SagasError
from ..instance import Saga
from ..models import SagaInstance, WatchedProcess
from ..outgoing import pending_timers
from ..plan import Plan
from ..progress import StepView, process_views, step_views
from ..running import repository
from ..state import SagaState, Status
from ..watched import STREAM_TYPE
from .diagram import of_plan, of_process
from .queries import timers_of
from .timing import WIDTH, timing

MAX_ACTIONS = 10
TONES = {
    Status.RUNNING: "busy",
    Status.COMPLETED: "good",
    Status.COMPENSATING: "warning",
    Status.COMPENSATED: "warning",
    Status.FAILED: "bad",
    Status.NEEDS_INTERVENTION: "bad",
    Status.BLOCKED: "bad",
}


def find_saga(saga_id: str) -> tuple[Saga | None, str | None]:
    """As its stream tells; and why it can't be read, if so."""
    try:
        return repository.find(saga_id), None
    except EventsError as error:
        return None, str(error)


def find_plan(saga: Saga) -> tuple[Plan | None, str | None]:
    """And why there is none: its definition is gone, or is another one now."""
    try:
        return saga.plan, None
    except SagasError as error:
        return None, str(error)


def saga_details(
    site: AdminSite, request: HttpRequest, row: SagaInstance, saga: Saga | None
) -> dict[str, Any]:
    """`saga` is None where its stream can't be read, and for choreographed ones."""
    sees_events = may_view(site, request, Event)
    is_watched = saga is None and repository.store.stream_version(Saga(row.saga_id).stream) < 0
    stream_type = STREAM_TYPE if is_watched else Saga.aggregate_type
    context: dict[str, Any] = {
        "title": row.saga_id,
        "subtitle": "",
        "facts": _facts(row),
        "items": list(row.open_items.values()),
        "operated": _operated(site, request, row),
        "log_url": list_url(site, OperatorAction, q=f"subject:{row.saga_id}"),
    }
    if sees_events:
        context |= _history(site, request, row, stream_type)
    if is_watched:
        return context | _watched(row)
    if saga is None or saga.state is None:
        return context
    plan, why_not = find_plan(saga)
    views = step_views(plan, saga.state)
    shown = disclosure_of(request).names(str(saga.stream), saga.state.data)
    return {
        **context,
        "no_definition": why_not,
        "state": saga.state,
        "steps": [{"view": view, "undoes": _undoes(plan, view)} for view in views],
        "diagram": of_plan(plan, views) if plan else None,
        "attempts": timing(saga.stream, database_time()),
        "timing_width": WIDTH,
        "timers": _timers(row, saga.state),
        "sees_data": sees_events,
        "data": shown if sees_events else None,
    }


def _facts(row: SagaInstance) -> list[tuple[Any, Any]]:
    return [
        (_("Status"), badge(row.get_status_display(), TONES[Status(row.status)])),
        (_("Saga"), f"{row.saga_type} {row.definition_version}"),
        (_("Key"), row.key),
        (_("Under way"), ", ".join(row.under_way) or "-"),
        (_("Started"), row.started_at),
        (_("Recorded last"), row.updated_at),
        (_("Ended"), row.ended_at or "-"),
        (_("Took"), duration(row.ended_at - row.started_at) if row.ended_at else "-"),
    ]


def _undoes(plan: Plan | None, view: StepView) -> str:
    leg = plan.steps[view.name].undo if plan else None
    return leg.command_class.command_type if leg else ""


def _watched(row: SagaInstance) -> dict[str, Any]:
    """Of a choreographed process, whose definition may be gone."""
    process = choreographies.find(row.saga_type)
    watched = in_log_database(WatchedProcess.objects.filter(pk=row.saga_id)).first()
    if process is None or watched is None:
        return {}
    views = process_views(process, watched.seen, watched.settled)
    return {
        "is_watched": True,
        "steps": [
            {
                "view": view,
                "undoes": ", ".join(
                    command.command_type for each in undos for command in each.commands
                ),
            }
            for view, undos in zip(views, map(process.undos, process.steps), strict=True)
        ],
        "diagram": of_process(process, views),
    }


def _operated(site: AdminSite, request: HttpRequest, row: SagaInstance) -> list[OperatorAction]:
    if not may_view(site, request, OperatorAction):
        return []
    about = IndexRange(["-id"], {"subject": row.saga_id})
    rows = in_log_database(OperatorAction.objects.defer("details"))
    return list(about.rows(rows, Cursor())[:MAX_ACTIONS])


def _timers(row: SagaInstance, state: SagaState) -> list[dict[str, Any]]:
    wanted = {
        (each.step, each.direction.value, each.attempt, each.is_retry)
        for each in pending_timers(state)
    }
    shown = [
        {
            "row": timer,
            "is_outdated": (timer.step, timer.direction, timer.attempt, timer.is_retry)
            not in wanted,
        }
        for timer in timers_of(row.saga_id)
    ]
    return sorted(shown, key=lambda timer: timer["is_outdated"])


def _history(
    site: AdminSite, request: HttpRequest, row: SagaInstance, stream_type: str
) -> dict[str, Any]:
    newest_first = IndexRange(["-sequence_number"])
    try:
        cursor = cursor_of(request.GET, newest_first, Event)
    except InvalidCursor:
        cursor = Cursor()
    events = event_heads().filter(aggregate_type=stream_type, aggregate_id=row.saga_id)
    page = read_page(events, newest_first, cursor, EVENTS_PER_PAGE)
    return {
        "history": event_rows(site, page.rows),
        "links": page_links(page, dict(request.GET.lists())),
        "trace_url": page_url(site, Event, "trace", correlation=row.correlation_id)
        if row.correlation_id
        else None,
        "conversation_url": events_url(site, correlation=row.correlation_id)
        if row.correlation_id
        else None,
    }
