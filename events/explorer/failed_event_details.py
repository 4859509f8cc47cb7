"""What the page of a failed event shows besides its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..delivery import dead_letters
from ..exceptions import EventsError
from ..models import Event, FailedEvent, OperatorAction, SubscriptionState
from ..personal.hiding import personal_values
from ..personal.shapes import shape_of
from ..registry import event_types
from .details import event_rows
from .disclosure import disclosure_of
from .index_range import Cursor, IndexRange
from .links import events_link, list_url, object_url, page_url
from .permissions import may_view
from .presentation import badge
from .queries import in_log_database, stream_name

MAX_WAITING = 20
MAX_ACTIONS = 10


def failed_event_details(site: AdminSite, request: HttpRequest, row: FailedEvent) -> dict[str, Any]:
    data, data_problem = _stored_data(row)
    context: dict[str, Any] = {
        "title": _("%(event)s for %(subscription)s")
        % {"event": f"{row.event_type} {row.position}", "subscription": row.subscription_id},
        "subtitle": "",
        "facts": _facts(site, request, row),
        "problem": shown_error(request, row, data),
        "traceback": shown_text(request, row, row.traceback, data),
        "group_url": page_url(site, FailedEvent, "group", fingerprint=row.fingerprint)
        if row.fingerprint
        else None,
    }
    if may_view(site, request, OperatorAction):
        context["actions"] = _actions(row)
        context["log_url"] = list_url(site, OperatorAction, q=f"subject:{stream_name(row)}")
    if not may_view(site, request, Event):
        return context
    waiting = dead_letters.waiting_behind(row, MAX_WAITING + 1)
    return {
        **context,
        "sees_data": True,
        "data": disclosure_of(request).data(stream_name(row), row.event_type, data),
        "data_problem": data_problem,
        "is_edited": row.edited is not None,
        "waiting": event_rows(site, waiting[:MAX_WAITING]),
        "more_wait": len(waiting) > MAX_WAITING,
    }


def _facts(site: AdminSite, request: HttpRequest, row: FailedEvent) -> list[tuple[Any, Any]]:
    name = row.subscription_id
    linked = may_view(site, request, SubscriptionState)
    url = object_url(site, SubscriptionState, name)
    tone = "bad" if row.status == FailedEvent.Status.DEAD else "warning"
    event = f"{row.event_type} {row.position}"
    return [
        (_("Status"), badge(row.get_status_display(), tone)),
        (_("Subscription"), format_html('<a href="{}">{}</a>', url, name) if linked else name),
        (_("Event"), _event_link(site, row, event) if may_view(site, request, Event) else event),
        (_("Stream"), events_link(site, stream_name(row), stream=stream_name(row))),
        (_("Lane"), row.lane),
        (_("Holds up its stream"), _("yes") if row.blocks else _("no")),
        (_("Attempts"), row.attempts),
        (_("Next attempt"), row.next_attempt_at or "-"),
        (_("First failed"), row.first_failed_at or "-"),
        (_("Last failed"), row.last_failed_at or "-"),
    ]


def _event_link(site: AdminSite, row: FailedEvent, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', object_url(site, Event, row.position), text)


def data_to_show(request: HttpRequest, row: FailedEvent) -> Any:
    """As its handler would get it, for this user; a text where it can't be read."""
    data, problem = _stored_data(row)
    if data is None:
        return problem
    return disclosure_of(request).data(stream_name(row), row.event_type, data)


def shown_error(request: HttpRequest, row: FailedEvent, data: Any = None) -> str:
    if not row.error_type:
        return ""
    return f"{row.error_type}: {shown_text(request, row, row.error_message, data)}"


def shown_text(request: HttpRequest, row: FailedEvent, text: str, data: Any = None) -> str:
    """Errors quote what they can't handle. `data` are those of the event, where they are known."""
    shape = _shape(row)
    if not text or shape is None:
        return text
    if data is None:
        data = _stored_data(row)[0]
    personal = personal_values(data, shape)
    return disclosure_of(request).text(stream_name(row), text, personal)


def shown_errors(request: HttpRequest, rows: Iterable[FailedEvent]) -> dict[int, str]:
    """By id. A statement for all of them, where some have something personal."""
    rows = list(rows)
    ids = [row.event_id for row in rows if row.error_message and _shape(row) is not None]
    data: dict[Any, Any] = {}
    if ids:
        events = in_log_database(Event.objects.filter(event_id__in=ids))
        data = dict(events.values_list("event_id", "event_data"))
    return {row.pk: shown_error(request, row, data.get(row.event_id, {})) for row in rows}


def _stored_data(row: FailedEvent) -> tuple[Any, str]:
    """And why it can't be read, if so."""
    try:
        return dead_letters.data_to_edit(row), ""
    except EventsError as error:
        return None, str(error)


def _shape(row: FailedEvent) -> Any:
    cls = event_types.find(row.event_type)
    return None if cls is None else shape_of(cls)


def _actions(row: FailedEvent) -> list[OperatorAction]:
    """What operators did to events of its stream, newest first."""
    about = IndexRange(["-id"], {"subject": stream_name(row)})
    rows = in_log_database(OperatorAction.objects.defer("details"))
    return list(about.rows(rows, Cursor())[:MAX_ACTIONS])
