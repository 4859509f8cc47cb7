"""What the page of one saga shows besides its row: the template's context."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from events.exceptions import EventsError
from events.explorer.details import EVENTS_PER_PAGE, event_rows
from events.explorer.index_range import Cursor, IndexRange
from events.explorer.links import events_url
from events.explorer.paging import InvalidCursor, cursor_of, page_links, read_page
from events.explorer.permissions import may_view
from events.explorer.presentation import moment, pretty_json
from events.explorer.queries import event_heads
from events.models import Event

from ..exceptions import SagasError
from ..instance import Saga
from ..models import SagaInstance
from ..outgoing import pending_timers
from ..plan import Plan
from ..progress import step_views
from ..running import repository
from ..state import SagaState
from ..watched import STREAM_TYPE
from .queries import timers_of


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
    context: dict[str, Any] = {"items": list(row.open_items.values())}
    if sees_events:
        context |= _history(site, request, row, stream_type)
    if saga is None or saga.state is None:
        return context
    plan, why_not = find_plan(saga)
    return {
        **context,
        "no_definition": why_not,
        "state": saga.state,
        "steps": [
            {"view": view, "due": moment(view.due_at) if view.due_at else None}
            for view in step_views(plan, saga.state)
        ],
        "timers": _timers(row, saga.state),
        "data": pretty_json(saga.state.data) if sees_events else None,
    }


def _timers(row: SagaInstance, state: SagaState) -> list[dict[str, Any]]:
    wanted = {
        (each.step, each.direction.value, each.attempt, each.is_retry)
        for each in pending_timers(state)
    }
    shown = [
        {
            "row": timer,
            "due": moment(timer.due_at),
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
        "conversation_url": events_url(site, correlation=row.correlation_id)
        if row.correlation_id
        else None,
    }
