"""Subscriptions and failed events: lists and pages to be read, and what operators may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..delivery.metrics import SubscriptionMetrics, snapshot
from ..explorer.delivery_details import failed_event_details, subscription_details
from ..explorer.filters import (
    FailedStatusFilter,
    FailedSubscriptionFilter,
    FailureGroupFilter,
)
from ..explorer.keyset import KeysetChangeList
from ..explorer.links import events_link, object_url
from ..explorer.navigation import Entry, add_entry
from ..explorer.permissions import has_permission
from ..explorer.presentation import moment
from ..explorer.queries import stream_name
from ..models import Event, FailedEvent, SubscriptionState
from . import operating
from .log import LogAdmin


class MeasuredSubscription(Protocol):
    """A row of the list of subscriptions."""

    metrics: SubscriptionMetrics

    def get_status_display(self) -> str: ...


class OperatedChangeList(KeysetChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.show_admin_actions = True


class SubscriptionChangeList(OperatedChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = [row.pk for row in self.result_list]
        found = {each.name: each for each in snapshot(*names)} if names else {}
        for row in self.result_list:
            row.metrics = found[row.pk]


class OperationsAdmin(LogAdmin):
    """With the pages of what may be done to its rows."""

    operations: Sequence[operating.OperationPage] = ()

    def page_urls(self) -> list[URLPattern]:
        operating = [
            path(
                f"operate/{operation.name}/",
                self.admin_site.admin_view(operation.view(self)),
                name=operation.url_name(self),
            )
            for operation in self.operations
        ]
        return [*operating, *super().page_urls()]


class OperatedAdmin(OperationsAdmin):
    """Its actions lead to a page that asks for a reason. They are done there, to the rows that
    page has shown."""

    change_list_class: type[KeysetChangeList] = OperatedChangeList

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return self.change_list_class

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None of the site's: they are for rows that may be changed."""
        own: Sequence[Any] = self.actions or ()
        return {name: act for name, act in super().get_actions(request).items() if name in own}

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        # "All rows of the list" would be those of another moment than the one that was looked at.
        data = request.POST.copy()
        data["select_across"] = "0"
        request.POST = data  # type: ignore[assignment]
        return super().response_action(request, queryset)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["operations"] = self.operation_links(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def operation_links(self, request: HttpRequest, row: Any) -> list[tuple[Any, str]]:
        """(label, address) of what this user may do to the row."""
        return [
            (operation.label, operation.url(self, [row.pk]))
            for operation in self.operations
            if operation.is_permitted(self, request)
        ]


@admin.register(SubscriptionState)
class SubscriptionAdmin(OperatedAdmin):
    change_form_template = "events/explorer/subscription.html"
    change_list_class = SubscriptionChangeList
    details = staticmethod(subscription_details)
    operations = (operating.PAUSE, operating.RESUME)
    actions = ("pause", "resume")
    ordering = ("name",)
    list_display = (
        "name",
        "state",
        "lanes",
        "position",
        "head",
        "lag",
        "age",
        "retrying",
        "parked",
    )
    fields = ("name", "status", "reason", "created_at", "changed_at")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, SubscriptionState, "operate_subscription")

    @admin.action(description=_("Pause"), permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.PAUSE.redirect(self, queryset)

    @admin.action(description=_("Resume"), permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.RESUME.redirect(self, queryset)

    @admin.display(description=_("state"))
    def state(self, row: MeasuredSubscription) -> str:
        return row.get_status_display() + ("" if row.metrics.has_code else f", {_('no code')}")

    @admin.display(description=_("lanes"))
    def lanes(self, row: MeasuredSubscription) -> int:
        return len(row.metrics.lanes)

    @admin.display(description=_("position"))
    def position(self, row: MeasuredSubscription) -> int | None:
        return row.metrics.position

    @admin.display(description=_("head"))
    def head(self, row: MeasuredSubscription) -> int:
        return row.metrics.head

    @admin.display(description=_("lag"))
    def lag(self, row: MeasuredSubscription) -> int | None:
        return row.metrics.lag

    @admin.display(description=_("seconds behind"))
    def age(self, row: MeasuredSubscription) -> str:
        seconds = row.metrics.lag_seconds
        return "-" if seconds is None else f"{seconds:.1f}"

    @admin.display(description=_("retrying"))
    def retrying(self, row: MeasuredSubscription) -> int:
        return row.metrics.retrying

    @admin.display(description=_("dead letters"))
    def parked(self, row: MeasuredSubscription) -> int:
        return row.metrics.parked


@admin.register(FailedEvent)
class FailedEventAdmin(OperatedAdmin):
    change_form_template = "events/explorer/failed_event.html"
    details = staticmethod(failed_event_details)
    operations = (operating.RETRY, operating.DISCARD, operating.EDIT)
    actions = ("retry", "discard")
    ordering = ("-id",)
    list_display = (
        "event_type",
        "name",
        "stream",
        "position",
        "status",
        "error",
        "failed",
    )
    list_filter = (FailedStatusFilter, FailedSubscriptionFilter, FailureGroupFilter)
    list_defer = ("traceback", "edited")
    fields = (
        ("name", "lane"),
        ("event", "stream"),
        ("status", "blocks"),
        ("attempts", "next_attempt_at"),
        ("first_failed_at", "last_failed_at"),
        "fingerprint",
    )

    def operation_links(self, request: HttpRequest, row: FailedEvent) -> list[tuple[Any, str]]:
        found = super().operation_links(request, row)
        if row.fingerprint and operating.RETRY.is_permitted(self, request):
            url = operating.RETRY.url(self, [], group=row.fingerprint)
            found.append((_("Retry its group"), url))
        return found

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, FailedEvent, "retry_failedevent")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, FailedEvent, "discard_failedevent")

    def has_edit_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, FailedEvent, "edit_failedevent")

    @admin.action(description=_("Retry"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.RETRY.redirect(self, queryset)

    @admin.action(description=_("Discard"), permissions=["discard"])
    def discard(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.DISCARD.redirect(self, queryset)

    @admin.display(description=_("subscription"))
    def name(self, row: FailedEvent) -> str:
        return row.subscription_id

    @admin.display(description=_("stream"))
    def stream(self, row: FailedEvent) -> str:
        return events_link(self.admin_site, stream=stream_name(row))

    @admin.display(description=_("event"))
    def event(self, row: FailedEvent) -> SafeString:
        url = object_url(self.admin_site, Event, row.position)
        return format_html('<a href="{}">{} {}</a>', url, row.event_type, row.position)

    @admin.display(description=_("error"))
    def error(self, row: FailedEvent) -> str:
        return f"{row.error_type}: {row.error_message}"[:100] if row.error_type else "-"

    @admin.display(description=_("last failed at"))
    def failed(self, row: FailedEvent) -> str:
        return moment(row.last_failed_at) if row.last_failed_at else "-"


add_entry(Entry(label=_("Subscriptions"), rank=300, model=SubscriptionState))
add_entry(Entry(label=_("Failed events"), rank=310, model=FailedEvent))
