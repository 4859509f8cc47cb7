"""What an entry of the operator log says, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from ..models import Event, Operation, OperatorAction, SubscriptionState
from .disclosure import Disclosure, disclosure_of
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
    operation = action.details.get("operation")
    return {
        "details_data": {
            key: _shown(disclosure_of(request), action, key, value) for key, value in shown.items()
        },
        "operation_url": object_url(site, Operation, operation)
        if operation and may_view(site, request, Operation)
        else None,
        "subscription_url": object_url(site, SubscriptionState, action.subscription)
        if action.subscription and may_view(site, request, SubscriptionState)
        else None,
    }


_DATA = ("data_before", "data_after", "edited", "learned")


def _shown(disclosure: Disclosure, action: OperatorAction, key: str, value: Any) -> Any:
    """Data of an event by what its class says; of all else, no class says anything."""
    event_type = str(action.details.get("event_type", ""))
    if key in ("data_before", "data_after"):
        return disclosure.data(action.subject, event_type, value)
    if key == "edited" and isinstance(value, dict):
        return value | {"data": disclosure.data(action.subject, event_type, value.get("data"))}
    return disclosure.names(action.subject, value)
