"""Subscriptions: how each is doing, and what operators may do about it. With the pages about all of
them: the overview, and what the user may do."""

from __future__ import annotations

from typing import Any, Protocol

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..delivery import metrics
from ..delivery.metrics import SubscriptionMetrics
from ..explorer import delivery_overview  # noqa: F401  (adds its tiles and sections)
from ..explorer.access import access_details
from ..explorer.charts import sparkline
from ..explorer.links import list_url
from ..explorer.navigation import Entry, add_entry
from ..explorer.overview import overview_details
from ..explorer.permissions import has_permission
from ..explorer.presentation import badge, count_up_to
from ..explorer.subscription_details import (
    inline_projections,
    never_run,
    seconds_behind,
    subscription_details,
)
from ..explorer.trends import Trend, trends
from ..models import FailedEvent, SubscriptionState
from . import operating_subscriptions as operating
from .operated import OperatedAdmin, OperatedChangeList
from .pages import DetailsPage

Status = SubscriptionState.Status

_TONES = {Status.ACTIVE: "good", Status.PAUSED: "warning", Status.STOPPED: "bad"}


class MeasuredSubscription(Protocol):
    """A row of the list of subscriptions."""

    pk: str
    name: str
    status: str
    metrics: SubscriptionMetrics
    trend: Trend | None

    def get_status_display(self) -> str: ...


class SubscriptionChangeList(OperatedChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = [row.pk for row in self.result_list]
        found = {e.name: e for e in metrics.snapshot(*names, in_brief=True)} if names else {}
        lately = trends(names)
        for row in self.result_list:
            row.metrics, row.trend = found[row.pk], lately.get(row.pk)
        self.never_run = never_run(set(names)) if self.page.next is None else []
        rebuild = operating.REBUILD
        self.inline_projections = [
            (
                each.name,
                rebuild.url(self.model_admin, [each.name])
                if rebuild.is_permitted(self.model_admin, request)
                else None,
            )
            for each in inline_projections()
        ]


class AccessPage(DetailsPage):
    """For everybody who gets into the admin."""

    def is_permitted(self, model_admin: Any, request: HttpRequest) -> bool:
        return True


OVERVIEW = DetailsPage(
    name="overview",
    route="overview/",
    title=gettext_lazy("Overview"),
    template="events/explorer/overview.html",
    details=overview_details,
)
ACCESS = AccessPage(
    name="access",
    route="access/",
    title=gettext_lazy("Your access"),
    template="events/explorer/access.html",
    details=access_details,
)


@admin.register(SubscriptionState)
class SubscriptionAdmin(OperatedAdmin):
    change_form_template = "events/explorer/subscription.html"
    change_list_template = "events/explorer/subscriptions.html"
    change_list_class = SubscriptionChangeList
    details = staticmethod(subscription_details)
    pages = (OVERVIEW, ACCESS)
    operations = (operating.PAUSE, operating.RESUME, operating.RESET, operating.REBUILD)
    actions = ("pause", "resume")
    ordering = ("name",)
    list_display = (
        "name",
        "state",
        "lag",
        "age",
        "lately",
        "rate",
        "retrying",
        "parked",
        "lanes",
        "position",
    )
    fields = ("name",)  # the page is a template of its own

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, SubscriptionState, "operate_subscription")

    @admin.action(description=gettext_lazy("Pause"), permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.PAUSE.redirect(self, queryset)

    @admin.action(description=gettext_lazy("Resume"), permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.RESUME.redirect(self, queryset)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: MeasuredSubscription) -> SafeString:
        if not row.metrics.has_code:
            return badge(_("%(status)s, no code") % {"status": row.get_status_display()}, "bad")
        if row.metrics.backs_off_until:
            return badge(_("backs off"), "bad")
        return badge(row.get_status_display(), _TONES[Status(row.status)])

    @admin.display(description=gettext_lazy("lanes"))
    def lanes(self, row: MeasuredSubscription) -> int:
        return len(row.metrics.lanes)

    @admin.display(description=gettext_lazy("position"))
    def position(self, row: MeasuredSubscription) -> str:
        return f"{row.metrics.position} / {row.metrics.head}"

    @admin.display(description=gettext_lazy("lag"))
    def lag(self, row: MeasuredSubscription) -> int | None:
        return row.metrics.lag

    @admin.display(description=gettext_lazy("behind by"))
    def age(self, row: MeasuredSubscription) -> str:
        return seconds_behind(row.metrics)

    @admin.display(description=gettext_lazy("trend"))
    def lately(self, row: MeasuredSubscription) -> str:
        if row.trend is None:
            return "-"
        title = _("Lag in the last half hour: %(trend)s") % {"trend": row.trend.direction_label}
        chart = sparkline(title, row.trend.lags)
        return render_to_string("events/explorer/components/sparkline.html", {"chart": chart})

    @admin.display(description=gettext_lazy("a second"))
    def rate(self, row: MeasuredSubscription) -> str:
        rate = row.trend.rate if row.trend else None
        return "-" if rate is None else f"{rate:,.1f}"

    @admin.display(description=gettext_lazy("retrying"))
    def retrying(self, row: MeasuredSubscription) -> str:
        return count_up_to(row.metrics.retrying, metrics.MAX_COUNT)

    @admin.display(description=gettext_lazy("dead letters"))
    def parked(self, row: MeasuredSubscription) -> str | SafeString:
        shown = count_up_to(row.metrics.parked, metrics.MAX_COUNT)
        if not row.metrics.parked:
            return shown
        url = list_url(self.admin_site, FailedEvent, subscription=row.pk)
        return format_html('<a href="{}">{}</a>', url, shown)


add_entry(
    Entry(
        label=OVERVIEW.title,
        rank=50,
        model=SubscriptionState,
        url_name="events_subscriptionstate_overview",
    )
)
add_entry(Entry(label=gettext_lazy("Subscriptions"), rank=300, model=SubscriptionState))
add_entry(
    Entry(
        label=ACCESS.title,
        rank=400,
        url_name="events_subscriptionstate_access",
        permits=lambda request: True,
    )
)
