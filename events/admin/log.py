"""The log in the admin, to be read only. What the pages show is put together in `explorer`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from ..explorer import details, search
from ..explorer.bare_words import redirect_to_place
from ..explorer.conditions import Condition
from ..explorer.content_policy import guarded
from ..explorer.event_details import event_details
from ..explorer.filters import CategoryFilter, EventTypeFilter
from ..explorer.keyset import KeysetAdmin, ReadOnlyAdmin
from ..explorer.links import events_link
from ..explorer.navigation import Entry, add_entry
from ..explorer.presentation import moment_column
from ..explorer.queries import in_log_database, stream_name, with_actor, with_stream
from ..explorer.trace.details import trace_details
from ..models import AggregateVersion, Event, Snapshot
from .pages import DetailsPage, ExplorerPage
from .revealing import REVEAL


class LogAdmin(ReadOnlyAdmin, KeysetAdmin):
    """`details` gives the context of a row's own page."""

    details: Callable[[AdminSite, HttpRequest, Any], dict[str, Any]]
    pages: Sequence[ExplorerPage] = ()

    def get_urls(self) -> list[URLPattern]:
        return guarded([*self.page_urls(), *super().get_urls()])

    def page_urls(self) -> list[URLPattern]:
        """They come before those of Django, which take any text for the key of a row."""
        return [page.pattern(self) for page in self.pages]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return in_log_database(super().get_queryset(request))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context.update(self.details(self.admin_site, request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)


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
    list_defer = ("event_data", "metadata")
    fields = ("position",)  # the page is a template of its own
    search_fields = ("event_id",)  # shows the box; get_conditions says what it searches
    search_help_text = _(
        "Paste an id or a name, or combine id:… type:… stream:User-… correlation:… cause:… "
        "All are exact."
    )

    recorded = moment_column("recorded_at", _("recorded"))
    occurred = moment_column("occurred_on", _("occurred"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_actor(super().get_queryset(request))

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return search.conditions(search.parse(term))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        located = self.has_view_permission(request) and redirect_to_place(request)
        return located or super().changelist_view(request, extra_context)

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


class ByStreamAdmin(LogAdmin):
    """Of a table with one row a stream."""

    ordering = ("aggregate_type", "aggregate_id")
    list_filter = (CategoryFilter,)
    search_fields = ("aggregate_id",)
    search_help_text = _("The name of a stream, User-…, or an aggregate id. Exact.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return with_stream(queryset, search_term.strip()), False

    @admin.display(description=_("stream"))
    def stream(self, row: AggregateVersion | Snapshot) -> str:
        return stream_name(row)

    @admin.display(description=_("events"))
    def events(self, row: AggregateVersion | Snapshot) -> str:
        return events_link(self.admin_site, _("show"), stream=stream_name(row))


@admin.register(AggregateVersion)
class StreamAdmin(ByStreamAdmin):
    change_form_template = "events/explorer/stream.html"
    details = staticmethod(details.stream_details)
    list_display = ("stream", "version", "last_event", "first_event", "events")
    fields = ("aggregate_type", "aggregate_id", "version", "first_event", "last_event")

    first_event = moment_column("created_at", _("first event"))
    last_event = moment_column("updated_at", _("last event"))


@admin.register(Snapshot)
class SnapshotAdmin(ByStreamAdmin):
    change_form_template = "events/explorer/snapshot.html"
    details = staticmethod(details.snapshot_details)
    list_display = ("stream", "version", "schema_version", "created", "events")
    list_defer = ("snapshot_data",)
    fields = ("aggregate_type", "aggregate_id", "version", "schema_version", "created")

    created = moment_column("created_at", _("created"))


add_entry(Entry(label=_("Events"), rank=100, model=Event))
add_entry(Entry(label=_("Streams"), rank=110, model=AggregateVersion))
add_entry(Entry(label=_("Snapshots"), rank=120, model=Snapshot))
