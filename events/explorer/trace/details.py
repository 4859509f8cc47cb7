"""What the page of a conversation shows: the template's context."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from ...models import Event, FailedEvent
from ..extensions import Conversation as ConversationName
from ..extensions import explorer
from ..links import events_url, object_url, page_url
from ..paging import AFTER
from ..permissions import may_view
from ..presentation import duration, shortened
from ..queries import stream_name
from .reading import Conversation, Node, read_conversation
from .tree_picture import Picture, picture_of
from .waterfall import WIDTH, Bar, Scale, bar, scale_for

#: Deeper ones are indented no further.
MAX_INDENT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Of the table: an event, or a message between events."""

    label: str
    url: str | None
    stream: str
    stream_url: str | None
    at: datetime | None
    since_cause: str
    indent: int
    bar: Bar | None
    is_outside: bool
    failures: list[tuple[str, str | None]]


def trace_details(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    correlation_id = request.GET.get("correlation", "").replace("\0", "")
    after = request.GET.get(AFTER, "0")
    conversation = read_conversation(
        correlation_id, after=int(after) if after.isdecimal() and len(after) < 19 else 0
    )
    events, nodes = conversation.events(), conversation.nodes()
    if not events:
        raise Http404(_("No event has this correlation id."))
    scale = scale_for([node for node in nodes if not node.is_message and not node.is_outside])
    name = ConversationName(correlation_id)
    return {
        "subtitle": correlation_id,
        "totals": _totals(conversation, events, nodes),
        "rows": [_row(site, request, node, scale) for node in nodes],
        "breaks": [(each.x, duration(each.rest)) for each in scale.breaks],
        "width": WIDTH,
        "picture": _picture(site, conversation),
        "list_url": events_url(site, correlation=correlation_id),
        "first_url": _url(site, correlation_id) if after != "0" else None,
        "next_url": (
            _url(site, correlation_id, conversation.next_after)
            if conversation.next_after is not None
            else None
        ),
        "links": explorer.links(request, name),
        "panels": list(explorer.panels(request, name)),
    }


def _url(site: AdminSite, correlation_id: str, after: int | None = None) -> str:
    url = page_url(site, Event, "trace", correlation=correlation_id)
    return url if after is None else f"{url}&{AFTER}={after}"


def _totals(
    conversation: Conversation, events: list[Event], nodes: list[Node]
) -> list[tuple[Any, Any]]:
    first, last = events[0].recorded_at, max(event.recorded_at for event in events)
    failures = sum(len(node.failures) for node in nodes)
    more = "+" if conversation.next_after is not None else ""
    return [
        (_("Events"), f"{len(events)}{more}"),
        (_("Streams"), len({stream_name(event) for event in events})),
        (_("From"), first),
        (_("To"), last),
        (_("Duration"), duration(last - first)),
        (_("Failures"), failures),
    ]


def _row(site: AdminSite, request: HttpRequest, node: Node, scale: Scale) -> Row:
    event, indent = node.event, min(node.depth, MAX_INDENT)
    if event is None:
        return Row(
            label=node.command_type or _("Message %(id)s") % {"id": shortened(node.key)},
            url=None,
            stream="",
            stream_url=None,
            at=None,
            since_cause="",
            indent=indent,
            bar=None,
            is_outside=False,
            failures=[],
        )
    waited: timedelta = node.at - node.caused_at
    return Row(
        label=event.event_type,
        url=object_url(site, Event, event.position),
        stream=f"{shortened(stream_name(event))} #{event.sequence_number}",
        stream_url=events_url(site, stream=stream_name(event)),
        at=event.recorded_at,
        since_cause=duration(waited) if waited else "",
        indent=indent,
        bar=None if node.is_outside else bar(node, scale),
        is_outside=node.is_outside,
        failures=_failures(site, request, node),
    )


def _failures(site: AdminSite, request: HttpRequest, node: Node) -> list[tuple[str, str | None]]:
    visible = may_view(site, request, FailedEvent)
    return [
        (each.subscription_id, object_url(site, FailedEvent, each.pk) if visible else None)
        for each in node.failures
    ]


def _picture(site: AdminSite, conversation: Conversation) -> dict[str, Any] | None:
    picture: Picture | None = picture_of(conversation.roots)
    if picture is None or len(picture.boxes) < 2:
        return None
    return {
        "picture": picture,
        "boxes": [
            (box, object_url(site, Event, box.node.event.position) if box.node.event else None)
            for box in picture.boxes
        ],
    }
