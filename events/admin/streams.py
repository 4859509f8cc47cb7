"""Streams and snapshots in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..delivery.dead_letters import Outcome
from ..explorer.filters import CategoryFilter
from ..explorer.links import events_link
from ..explorer.navigation import Entry, add_entry
from ..explorer.permissions import has_permission
from ..explorer.presentation import moment_column
from ..explorer.queries import in_log_database, stream_name, with_stream
from ..explorer.snapshot_details import snapshot_details
from ..explorer.snapshots import drop
from ..explorer.state_details import state_details
from ..explorer.stream_details import stream_details
from ..models import AggregateVersion, Snapshot
from .forms import ReasonForm
from .log import LogAdmin
from .operated import OperatedAdmin
from .operating import Operation
from .pages import DetailsPage


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
    details = staticmethod(stream_details)
    pages = (
        DetailsPage(
            name="state",
            route="<int:key>/state/",
            title=_("State"),
            template="events/explorer/state.html",
            details=state_details,
        ),
    )
    list_display = ("stream", "version", "last_event", "first_event", "events")
    fields = ("aggregate_type",)  # the page is a template of its own

    first_event = moment_column("created_at", _("first event"))
    last_event = moment_column("updated_at", _("last event"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _DropSnapshots(Operation):
    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        ids = [int(text) for text in request.GET.getlist("id") if text.isdecimal()]
        return in_log_database(Snapshot.objects.filter(pk__in=ids)).defer("snapshot_data")

    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form:
        return ReasonForm(data)

    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        actor = request.user.get_username()
        return drop(rows, actor=actor, reason=form.cleaned_data["reason"])


DROP = _DropSnapshots(
    name="drop",
    label=_("Drop"),
    permission="drop_snapshot",
    warning=_(
        "The next load replays all events of the stream, and may take a new snapshot. "
        "Nothing is lost."
    ),
)


@admin.register(Snapshot)
class SnapshotAdmin(OperatedAdmin, ByStreamAdmin):
    change_form_template = "events/explorer/snapshot.html"
    details = staticmethod(snapshot_details)
    operations = (DROP,)
    actions = ("drop",)
    list_display = ("stream", "version", "schema_version", "created", "events")
    list_defer = ("snapshot_data",)
    fields = ("aggregate_type",)  # the page is a template of its own

    created = moment_column("created_at", _("created"))

    def has_drop_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, Snapshot, "drop_snapshot")

    @admin.action(description=_("Drop"), permissions=["drop"])
    def drop(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return DROP.redirect(self, queryset)


add_entry(Entry(label=_("Streams"), rank=110, model=AggregateVersion))
add_entry(Entry(label=_("Snapshots"), rank=120, model=Snapshot))
