"""What the page of a failed event shows besides its row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..delivery import dead_letters
from ..exceptions import EventsError
from ..models import Event, FailedEvent, OperatorAction, SubscriptionState
from .details import event_rows
from .disclosure import disclosure_of
from .index_range import Cursor, IndexRange
from .links import events_link, list_url, object_url, page_url
from .permissions import may_view
from .presentation import badge
from .queries import in_log_database, stream_name
from .quoted import quoted_values

MAX_WAITING = 20
MAX_ACTIONS = 10


def failed_event_details(site: AdminSite, request: HttpRequest, row: FailedEvent) -> dict[str, Any]:
    data, data_problem = _stored_data(row)
    message, traceback, data_problem = shown_texts(
        request, row, row.error_message, row.traceback, data_problem
    )
    context: dict[str, Any] = {
        "title": _("%(event)s for %(subscription)s")
        % {"event": f"{row.event_type} {row.position}", "subscription": row.subscription_id},
        "subtitle": "",
        "facts": _facts(site, request, row),
        "problem": f"{row.error_type}: {message}" if row.error_type else "",
        "traceback": traceback,
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
        return shown_texts(request, row, problem)[0]
    return disclosure_of(request).data(stream_name(row), row.event_type, data)


def shown_texts(request: HttpRequest, row: FailedEvent, *texts: str) -> list[str]:
    """Errors quote what they can't handle."""
    personal = quoted_values([row]) if any(texts) else {}
    return [_shown(request, row, text, personal) for text in texts]


def shown_errors(request: HttpRequest, rows: Iterable[FailedEvent]) -> dict[int, str]:
    """By id."""
    rows = list(rows)
    personal = quoted_values([row for row in rows if row.error_message])
    return {
        row.pk: f"{row.error_type}: {_shown(request, row, row.error_message, personal)}"
        if row.error_type
        else ""
        for row in rows
    }


def _shown(
    request: HttpRequest, row: FailedEvent, text: str, personal: Mapping[int, frozenset[str]]
) -> str:
    return disclosure_of(request).text(stream_name(row), text, personal.get(row.pk, frozenset()))


def _stored_data(row: FailedEvent) -> tuple[Any, str]:
    """And why it can't be read, if so."""
    try:
        return dead_letters.data_to_edit(row), ""
    except EventsError as error:
        return None, str(error)


def _actions(row: FailedEvent) -> list[OperatorAction]:
    """What operators did to events of its stream, newest first."""
    about = IndexRange(["-id"], {"subject": stream_name(row)})
    rows = in_log_database(OperatorAction.objects.defer("details"))
    return list(about.rows(rows, Cursor())[:MAX_ACTIONS])
