"""All event types: those that code declares, and those that are only in the log; who makes and who
handles them, and how they grew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.db import connections
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from ..aggregates import EventSourcedAggregate, apply_method_name
from ..bus.subscription import Subscription, subscriptions
from ..conf import events_settings
from ..messages import DomainEvent
from ..models import Event, SubscriptionState
from ..personal.shapes import declares_personal, shape_of
from ..registry import event_types
from ..upcasting import upcasters
from .aggregate_classes import aggregate_classes
from .current_form import typed_fields
from .links import events_url, object_url, page_url
from .permissions import may_view
from .queries import event_heads

#: Types that the page of all reads from the log.
MAX_STORED_TYPES = 500

# As `queries.stored_values`: one probe for each type, and one for its last event.
_STORED_TYPES = """
    WITH RECURSIVE stored (value) AS (
        SELECT MIN(event_type) FROM events
        UNION ALL
        SELECT (SELECT MIN(event_type) FROM events WHERE event_type > stored.value)
        FROM stored WHERE stored.value IS NOT NULL
    )
    SELECT value, (
        SELECT position FROM events WHERE event_type = stored.value
        ORDER BY event_type DESC, position DESC LIMIT 1
    ) FROM stored WHERE value IS NOT NULL LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    """`version` is None where only the log knows the type, `last` where only the code does."""

    name: str
    version: int | None
    has_personal: bool
    url: str
    last: Event | None
    producers: list[str]
    consumers: list[str]
    #: Versions that no upcaster starts from: events of them can't be read.
    missing_upcasters: list[int]


def catalogue_details(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    last_positions = _last_positions()
    last = event_heads().in_bulk(list(last_positions.values()))
    declared = {cls.event_type: cls for cls in event_types}
    names = sorted({*declared, *last_positions})
    return {
        "rows": [
            _row(site, name, declared.get(name), last.get(last_positions.get(name, -1)))
            for name in names
        ],
        "is_cut": len(last_positions) >= MAX_STORED_TYPES,
        "opts": Event._meta,
    }


def type_details(site: AdminSite, request: HttpRequest, event_type: str) -> dict[str, Any]:
    cls = event_types.find(event_type)
    newest = event_heads().filter(event_type=event_type).order_by("-event_type", "-position")
    last = newest.first() if "\0" not in event_type else None
    if cls is None and last is None:
        raise Http404(_("There is no such event type."))
    wanted_by = [each for each in subscriptions if _wants(each, event_type)]
    sees_subscriptions = may_view(site, request, SubscriptionState)
    return {
        "title": event_type,
        "crumbs": [(_("Catalogue"), page_url(site, Event, "catalogue"))],
        "row": _row(site, event_type, cls, last),
        "last_url": object_url(site, Event, last.position) if last else None,
        "list_url": events_url(site, type=event_type),
        "doc": _doc(cls),
        "module": f"{cls.__module__}.{cls.__qualname__}" if cls else "",
        "fields": typed_fields(cls) if cls else [],
        "versions": list(_versions(cls)) if cls else [],
        "subscriptions": [
            (
                each,
                object_url(site, SubscriptionState, each.name) if sees_subscriptions else None,
            )
            for each in wanted_by
        ],
    }


def _last_positions() -> dict[str, int]:
    connection = connections[events_settings().database]
    with connection.cursor() as cursor:
        cursor.execute(_STORED_TYPES, [MAX_STORED_TYPES])
        return dict(cursor.fetchall())


def _row(site: AdminSite, name: str, cls: type[DomainEvent] | None, last: Event | None) -> TypeRow:
    return TypeRow(
        name=name,
        version=cls.event_version if cls else None,
        has_personal=cls is not None and declares_personal(shape_of(cls)),
        url=page_url(site, Event, "type", arguments={"event_type": name}),
        last=last,
        producers=sorted({each.aggregate_type for each in _producers(cls)}) if cls else [],
        consumers=sorted(each.name for each in subscriptions if _wants(each, name)),
        missing_upcasters=upcasters.missing_steps(name, cls.event_version) if cls else [],
    )


def _producers(cls: type[DomainEvent]) -> Iterator[type[EventSourcedAggregate]]:
    """Those that apply it: nobody else adds it to their streams."""
    for aggregate_class in aggregate_classes():
        applies = hasattr(aggregate_class, apply_method_name(cls))
        if applies or cls in aggregate_class.ignored_events:
            yield aggregate_class


def _wants(subscription: Subscription, event_type: str) -> bool:
    return any(each.event_type in (None, event_type) for each in subscription.criteria)


def _versions(cls: type[DomainEvent]) -> Iterator[tuple[int, str, str]]:
    """(version, how it becomes the next one, what its upcaster says)."""
    for version in range(1, cls.event_version):
        upcaster = upcasters.find(cls.event_type, version)
        name = f"{upcaster.__module__}.{upcaster.__qualname__}" if upcaster else ""
        yield version, name, (upcaster.__doc__ or "").strip() if upcaster else ""


def _doc(cls: type[DomainEvent] | None) -> str:
    text = (cls.__doc__ or "").strip() if cls else ""
    # A dataclass without a docstring gets its signature for one.
    return "" if cls is None or text.startswith(f"{cls.__name__}(") else text
