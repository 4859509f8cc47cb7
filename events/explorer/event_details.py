"""What the page of one event shows: the template's context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..models import Event, FailedEvent, SubscriptionState
from ..personal import personal_values, shape_of
from ..registry import event_types
from . import queries
from .causation import effects_of, find_cause
from .current_form import CurrentForm, TypedField, current_form, typed_fields
from .details import event_rows, visible_url
from .differences import shown_differences
from .disclosure import Disclosure, disclosure_of
from .extensions import explorer
from .handling import Handling, handlings
from .links import events_link, events_url, object_url, page_url, state_url
from .permissions import may_view


def event_details(site: AdminSite, request: HttpRequest, event: Event) -> dict[str, Any]:
    disclosure, stream = disclosure_of(request), queries.stream_name(event)
    row = queries.find_stream(event)
    may_view_stream = row is not None and may_view(site, request, type(row))
    effects = effects_of(event)
    return {
        "title": event.event_type,
        "subtitle": str(event),
        "event": event,
        "facts": _facts(site, event),
        "metadata": disclosure.names(stream, event.metadata),
        **_forms(disclosure, stream, event),
        "handlings": _handlings(site, request, event),
        "previous_url": visible_url(site, request, queries.previous_in_stream(event)),
        "next_url": visible_url(site, request, queries.next_in_stream(event)),
        "stream_url": object_url(site, type(row), row.pk) if row and may_view_stream else None,
        "state_url": (
            state_url(site, row.pk, version=event.sequence_number)
            if row and may_view_stream
            else None
        ),
        "trace_url": (
            page_url(site, Event, "trace", correlation=event.correlation_id)
            if event.correlation_id
            else None
        ),
        **_causes(site, event),
        "children": event_rows(site, effects.shown),
        "more_children": effects.has_more,
        "all_children_url": events_url(site, cause=str(event.event_id)),
        "links": explorer.links(request, queries.recorded(event)),
        "panels": list(explorer.panels(request, queries.recorded(event))),
    }


def _facts(site: AdminSite, event: Event) -> list[tuple[Any, Any]]:
    stream, correlation = queries.stream_name(event), event.correlation_id
    actor = event.metadata.get("user_id")
    return [
        (_("Position"), event.position),
        (_("Stream"), events_link(site, stream, stream=stream)),
        (_("Version in the stream"), event.sequence_number),
        (_("Recorded"), event.recorded_at),
        (_("Occurred"), event.occurred_on),
        (_("By"), events_link(site, actor, by=actor) if isinstance(actor, str) and actor else "-"),
        (
            _("Correlation"),
            events_link(site, correlation, correlation=correlation) if correlation else "-",
        ),
        (_("Caused by the message"), event.causation_id or "-"),
        (_("Event id"), event.event_id),
    ]


def _forms(disclosure: Disclosure, stream: str, event: Event) -> dict[str, Any]:
    """As it is stored, and as the code reads it; with what is personal hidden in both."""
    current, cls = current_form(event), event_types.find(event.event_type)
    stored = disclosure.data(stream, event.event_type, event.event_data)
    read = disclosure.data(stream, event.event_type, current.data)
    is_upcast = current.data is not None and current.data != event.event_data
    return {
        "stored": stored,
        "read": read,
        "is_upcast": is_upcast,
        "changes": (
            shown_differences(event.event_data, current.data, stored, read) if is_upcast else []
        ),
        "current_version": current.version,
        "fields": _typed(disclosure, stream, event, current, read),
        "problem": _text(disclosure, stream, event, current, current.problem),
        "traceback": _text(disclosure, stream, event, current, current.traceback),
        "is_known": cls is not None,
    }


def _typed(
    disclosure: Disclosure, stream: str, event: Event, current: CurrentForm, read: Any
) -> list[TypedField]:
    cls = event_types.find(event.event_type)
    if cls is None or not isinstance(read, dict) or current.version != cls.event_version:
        return []
    return typed_fields(cls, read)


def _text(
    disclosure: Disclosure, stream: str, event: Event, current: CurrentForm, text: str
) -> str:
    """Errors quote what they can't read."""
    cls = event_types.find(event.event_type)
    if cls is None or not text:
        return text
    shape = shape_of(cls)
    personal = personal_values(event.event_data, shape) | personal_values(current.data, shape)
    return disclosure.text(stream, text, personal)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingRow:
    """With where its parts lead, as far as the user may go."""

    handling: Handling
    subscription_url: str | None
    failed_url: str | None


def _handlings(site: AdminSite, request: HttpRequest, event: Event) -> list[HandlingRow]:
    if not may_view(site, request, SubscriptionState):
        return []
    sees_failures = may_view(site, request, FailedEvent)
    return [
        HandlingRow(
            handling=each,
            subscription_url=(
                object_url(site, SubscriptionState, each.subscription) if each.moved_at else None
            ),
            failed_url=(
                object_url(site, FailedEvent, each.failed.pk)
                if each.failed and sees_failures
                else None
            ),
        )
        for each in handlings(event, queries.recorded(event))
    ]


def _causes(site: AdminSite, event: Event) -> dict[str, Any]:
    cause = find_cause(event)
    return {
        "parents": event_rows(site, [cause.event] if cause.event else []),
        "command": cause.command,
    }
