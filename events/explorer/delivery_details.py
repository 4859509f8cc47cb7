"""What the pages of subscriptions, failed events and operators' actions show besides columns."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from ..delivery import dead_letters, metrics
from ..exceptions import EventsError
from ..models import Event, FailedEvent, OperatorAction, SubscriptionState
from .details import event_rows
from .links import list_url
from .permissions import may_view
from .presentation import moment, pretty_json

MAX_WAITING = 20


def failed_event_details(site: AdminSite, request: HttpRequest, row: FailedEvent) -> dict[str, Any]:
    context = {
        "problem": f"{row.error_type}: {row.error_message}" if row.error_type else None,
        "traceback": row.traceback,
        "group_url": list_url(site, FailedEvent, group=row.fingerprint)
        if row.fingerprint
        else None,
    }
    if not may_view(site, request, Event):
        return context
    waiting = dead_letters.waiting_behind(row, MAX_WAITING + 1)
    return {
        **context,
        "data": data_as_text(row),
        "is_edited": row.edited is not None,
        "waiting": event_rows(site, waiting[:MAX_WAITING]),
        "more_wait": len(waiting) > MAX_WAITING,
    }


def data_as_text(row: FailedEvent) -> str:
    try:
        return pretty_json(dead_letters.data_to_edit(row))
    except EventsError as error:
        return str(error)


def subscription_details(
    site: AdminSite, request: HttpRequest, state: SubscriptionState
) -> dict[str, Any]:
    [found] = metrics.snapshot(state.name)
    failed = list_url(site, FailedEvent, subscription=state.name)
    return {
        "metrics": found,
        "failed_url": failed if may_view(site, request, FailedEvent) else None,
        "backs_off_until": found.backs_off_until and moment(found.backs_off_until),
    }


def action_details(site: AdminSite, request: HttpRequest, action: OperatorAction) -> dict[str, Any]:
    return {"details_text": pretty_json(action.details)}
