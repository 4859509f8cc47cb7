"""Failed events and their groups: what happened, and what operators may do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..exceptions import InvalidInput
from ..explorer.conditions import Condition, SearchError
from ..explorer.failed_event_details import failed_event_details, shown_errors
from ..explorer.failure_groups import group_details, groups_details
from ..explorer.filters import FailedStatusFilter, FailedSubscriptionFilter, FailureGroupFilter
from ..explorer.links import events_link
from ..explorer.navigation import Entry, add_entry
from ..explorer.permissions import has_permission
from ..explorer.presentation import badge, moment
from ..explorer.queries import as_uuid, stream_name
from ..models import FailedEvent
from ..streams import StreamName
from . import operating_failed_events as operating
from .bulk import BULK_DISCARD, BULK_RETRY, BulkOperation
from .operated import OperatedAdmin, OperatedChangeList
from .operating import OperationLink
from .pages import DetailsPage

GROUPS = DetailsPage(
    name="groups",
    route="groups/",
    title=gettext_lazy("Failures, by their cause"),
    template="events/explorer/failure_groups.html",
    details=groups_details,
)


class GroupPage(DetailsPage):
    """With what may be done to all dead letters of the group."""

    def context(self, model_admin: Any, request: HttpRequest, **arguments: Any) -> dict[str, Any]:
        context = super().context(model_admin, request, **arguments)
        chosen = {"group": context["fingerprint"]}
        return {**context, "operations": model_admin.bulk_links(request, chosen)}


GROUP = GroupPage(
    name="group",
    route="groups/one/",
    title=gettext_lazy("Group"),
    template="events/explorer/failure_group.html",
    details=group_details,
)


class FailedEventChangeList(OperatedChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        errors = shown_errors(request, self.result_list)
        for row in self.result_list:
            row.shown_error = errors[row.pk]
        model_admin: Any = self.model_admin
        self.bulk_links = model_admin.bulk_links(request, self._chosen(request))

    def _chosen(self, request: HttpRequest) -> dict[str, str]:
        """What the filters say, as far as dead letters can be chosen by it."""
        if request.GET.get("status", "dead") != "dead" or self.query:
            return {}
        return {
            name: request.GET[name] for name in ("group", "subscription") if request.GET.get(name)
        }


@admin.register(FailedEvent)
class FailedEventAdmin(OperatedAdmin):
    change_form_template = "events/explorer/failed_event.html"
    change_list_template = "events/explorer/failed_events.html"
    change_list_class = FailedEventChangeList
    details = staticmethod(failed_event_details)
    pages = (GROUPS, GROUP)
    operations = (
        operating.RETRY,
        operating.DRY_RUN,
        operating.EDIT,
        operating.DISCARD,
        BULK_RETRY,
        BULK_DISCARD,
    )
    actions = ("retry", "discard")
    ordering = ("-id",)
    list_display = (
        "event",
        "name",
        "stream",
        "state",
        "error",
        "failed",
    )
    list_filter = (FailedStatusFilter, FailedSubscriptionFilter, FailureGroupFilter)
    list_defer = ("traceback", "edited")
    search_fields = ("event_id",)  # shows the box; get_conditions says what it searches
    search_help_text = gettext_lazy("The name of a stream, Order-…, or the id of an event. Exact.")
    fields = ("status",)  # the page is a template of its own

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        word = term.strip()
        if not word:
            return []
        if event_id := as_uuid(word):
            return [Condition(values={"event_id": event_id})]
        try:
            stream = StreamName.parse(word)
        except InvalidInput as error:
            raise SearchError(_("stream: %(reason)s.") % {"reason": error.reason}) from None
        return [
            Condition(
                values={
                    "aggregate_type": stream.aggregate_type,
                    "aggregate_id": stream.aggregate_id,
                }
            )
        ]

    def operation_links(self, request: HttpRequest, row: FailedEvent) -> list[OperationLink]:
        found = [
            OperationLink(each.label, each.url(self, [row.pk]), each.why_not(row))
            for each in self.operations
            if not isinstance(each, BulkOperation) and each.is_permitted(self, request)
        ]
        if row.fingerprint and BULK_RETRY.is_permitted(self, request):
            url = BULK_RETRY.url(self, [], group=row.fingerprint)
            found.append(OperationLink(_("Retry its group"), url))
        return found

    def bulk_links(self, request: HttpRequest, chosen: dict[str, str]) -> list[OperationLink]:
        """For all dead letters that these conditions choose; none without any."""
        return [
            OperationLink(each.label, each.url(self, [], **chosen))
            for each in (BULK_RETRY, BULK_DISCARD)
            if chosen and each.is_permitted(self, request)
        ]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, FailedEvent, "retry_failedevent")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, FailedEvent, "discard_failedevent")

    @admin.action(description=gettext_lazy("Retry"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.RETRY.redirect(self, queryset)

    @admin.action(description=gettext_lazy("Discard"), permissions=["discard"])
    def discard(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return operating.DISCARD.redirect(self, queryset)

    @admin.display(description=gettext_lazy("event"))
    def event(self, row: FailedEvent) -> str:
        return f"{row.event_type} {row.position}"

    @admin.display(description=gettext_lazy("subscription"))
    def name(self, row: FailedEvent) -> str:
        return row.subscription_id

    @admin.display(description=gettext_lazy("stream"))
    def stream(self, row: FailedEvent) -> str:
        return events_link(self.admin_site, stream=stream_name(row))

    @admin.display(description=gettext_lazy("status"))
    def state(self, row: FailedEvent) -> SafeString:
        tone = "bad" if row.status == FailedEvent.Status.DEAD else "warning"
        return badge(row.get_status_display(), tone)

    @admin.display(description=gettext_lazy("error"))
    def error(self, row: Any) -> str:
        return row.shown_error[:100] or "-"

    @admin.display(description=gettext_lazy("last failed at"))
    def failed(self, row: FailedEvent) -> str:
        return moment(row.last_failed_at) if row.last_failed_at else "-"


add_entry(
    Entry(
        label=gettext_lazy("Failures"),
        rank=310,
        model=FailedEvent,
    )
)
