"""What an entry of the operator log says, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from ..models import Event, Operation, OperatorAction, SubscriptionState
from .disclosure import disclosure_of
from .links import events_url, object_url
from .permissions import may_view

#: Of an action, by what it begins with, the address of what it was about.
SubjectLink = Callable[[AdminSite, str], str]
_subject_links: dict[str, SubjectLink] = {}


def add_subject_link(prefix: str, link: SubjectLink) -> None:
    """For actions of another app, such as `saga_retry`."""
    _subject_links[prefix] = link


def subject_url(site: AdminSite, action: OperatorAction) -> str | None:
    for prefix, link in _subject_links.items():
        if action.action.startswith(prefix):
            return link(site, action.subject)
    return events_url(site, stream=action.subject) if "-" in action.subject else None


def action_details(site: AdminSite, request: HttpRequest, action: OperatorAction) -> dict[str, Any]:
    """Data that were edited are for those who may view events."""
    shown = dict(action.details)
    if not may_view(site, request, Event):
        shown = {key: value for key, value in shown.items() if key not in _DATA}
    disclosure = disclosure_of(request)
    stream, event_type = action.subject, str(action.details.get("event_type", ""))
    typed = {
        key: disclosure.data(stream, event_type, shown[key])
        for key in ("data_before", "data_after")
        if key in shown
    }
    if isinstance(edited := shown.get("edited"), dict):
        data = disclosure.data(stream, event_type, edited.get("data"))
        typed["edited"] = edited | {"data": data}
    others = {key: value for key, value in shown.items() if key not in typed}
    operation = action.details.get("operation")
    return {
        # What has a type is hidden by it; a field of another class may have the same name.
        "details_data": {**disclosure.names(stream, others), **typed},
        "operation_url": object_url(site, Operation, operation)
        if operation and may_view(site, request, Operation)
        else None,
        "subscription_url": object_url(site, SubscriptionState, action.subscription)
        if action.subscription and may_view(site, request, SubscriptionState)
        else None,
    }


_DATA = ("data_before", "data_after", "edited", "learned")
