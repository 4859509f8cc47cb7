"""Events in the admin: the list, the page of one, and the pages that start from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..explorer.bare_words import redirect_to_place
from ..explorer.catalogue import catalogue_details, type_details
from ..explorer.conditions import Condition, Conditions
from ..explorer.event_details import event_details
from ..explorer.event_list import EventChangeList, event_conditions, event_range
from ..explorer.event_list_details import extension_columns, list_context, unchanged
from ..explorer.extensions import explorer
from ..explorer.filters import CategoryFilter, EventTypeFilter
from ..explorer.index_range import IndexRange
from ..explorer.links import events_link
from ..explorer.navigation import Entry, add_entry
from ..explorer.presentation import moment_column
from ..explorer.queries import stream_name, with_actor
from ..explorer.trace.details import trace_details
from ..models import Event
from .exporting import EXPORT
from .log import LogAdmin
from .pages import DetailsPage
from .revealing import REVEAL
from .saved_views import DELETE_VIEW, SAVE_VIEW


@admin.register(Event)
class EventAdmin(LogAdmin):
    change_form_template = "events/explorer/event.html"
    details = staticmethod(event_details)
    pages = (
        REVEAL,
        DetailsPage(
            name="trace",
            route="trace/",
            title=_("Trace"),
            template="events/explorer/trace.html",
            details=trace_details,
        ),
        DetailsPage(
            name="catalogue",
            route="catalogue/",
            title=_("Event types"),
            template="events/explorer/catalogue.html",
            details=catalogue_details,
        ),
        DetailsPage(
            name="type",
            route="catalogue/<path:event_type>/",
            title=_("Event type"),
            template="events/explorer/event_type.html",
            details=type_details,
        ),
        EXPORT,
        SAVE_VIEW,
        DELETE_VIEW,
    )
    ordering = ("-position",)
    list_display = (
        "position",
        "recorded",
        "event_type",
        "stream",
        "version",
        "correlation",
        "actor",
        "occurred",
    )
    list_filter = (EventTypeFilter, CategoryFilter)
    fields = ("position",)  # the page is a template of its own
    search_fields = ("event_id",)  # shows the box; get_conditions says what it searches
    search_help_text = _(
        "Paste an id or a name, or combine type:… category:… stream:User-… correlation:… cause:… "
        "id:… by:… data.field:… since:24h until:2026-03-01. All are exact."
    )
    change_list_template = "events/explorer/event_list.html"

    recorded = moment_column("recorded_at", _("recorded"))
    occurred = moment_column("occurred_on", _("occurred"))

    @property
    def list_defer(self) -> Sequence[str]:  # type: ignore[override]
        """Columns of hosts may read all of an event."""
        return () if explorer.columns else ("event_data", "metadata")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_actor(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*self.list_display, *extension_columns(request)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventChangeList]:
        return EventChangeList

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return event_conditions(request, term)

    def index_range(self, conditions: Conditions) -> IndexRange:
        return event_range(conditions, list(self.ordering))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        located = redirect_to_place(request)
        if located:
            return located
        response = super().changelist_view(
            request, {**list_context(self.admin_site, request), **(extra_context or {})}
        )
        return unchanged(request, response) or response

    @admin.display(description=_("stream"))
    def stream(self, event: Event) -> str:
        return events_link(self.admin_site, stream=stream_name(event))

    @admin.display(description=_("version"))
    def version(self, event: Event) -> int:
        return event.sequence_number

    @admin.display(description=_("correlation"))
    def correlation(self, event: Event) -> str | None:
        found = event.correlation_id
        return events_link(self.admin_site, correlation=found) if found else None

    @admin.display(description=_("actor"))
    def actor(self, event: Any) -> Any:
        return event.actor_id or "-"


def _url_name(page: str) -> str:
    return f"{Event._meta.app_label}_{Event._meta.model_name}_{page}"


add_entry(Entry(label=_("Events"), rank=100, model=Event))
add_entry(Entry(label=_("Event types"), rank=130, model=Event, url_name=_url_name("catalogue")))
