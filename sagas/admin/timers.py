"""Timers of sagas and deadlines of choreographed processes: what is due next, what is overdue."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.admin.log import LogAdmin
from events.explorer.conditions import Condition
from events.explorer.keyset import KeysetChangeList
from events.explorer.links import object_url
from events.explorer.navigation import Entry, add_entry
from events.explorer.permissions import may_view
from events.explorer.presentation import badge, moment

from ..clock import database_time
from ..models import ProcessDeadline, SagaInstance, SagaTimer


class DueChangeList(KeysetChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        now, links = database_time(), may_view(self.model_admin.admin_site, request, SagaInstance)
        for row in self.result_list:
            row.is_overdue = row.due_at is not None and row.due_at <= now
            row.leads_on = links


class DueAdmin(LogAdmin):
    """Soonest first. They belong to a saga, and have no page of their own."""

    change_form_template = "sagas/timer.html"
    ordering = ("due_at", "id")
    list_display_links = None
    search_fields = ("saga_id",)  # shows the box; get_conditions says what it searches
    search_help_text = gettext_lazy("The id of a saga. Exact.")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return DueChangeList

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of whoever sees sagas."""
        return may_view(self.admin_site, request, SagaInstance)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def details(self, site: Any, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {"saga_url": object_url(site, SagaInstance, row.saga_id)}

    @admin.display(description=gettext_lazy("due"))
    def due(self, row: Any) -> SafeString | str:
        if row.due_at is None:
            return _("operators were told")
        return (
            format_html("{} {}", moment(row.due_at), badge(_("overdue"), "bad"))
            if row.is_overdue
            else moment(row.due_at)
        )

    @admin.display(description=gettext_lazy("saga"))
    def saga(self, row: Any) -> SafeString | str:
        if not row.leads_on:
            return str(row.saga_id)
        url = object_url(self.admin_site, SagaInstance, row.saga_id)
        return format_html('<a href="{}">{}</a>', url, row.saga_id)


@admin.register(SagaTimer)
class TimerAdmin(DueAdmin):
    list_display = ("due", "saga", "step", "direction", "attempt", "meaning")
    fields = ("saga_id", "step", "direction", "attempt", "due_at")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        word = term.strip()
        ordering = ["step", "direction", "attempt", "is_retry"]
        return [Condition(values={"saga_id": word}, ordering=ordering)] if word else []

    @admin.display(description=gettext_lazy("what for"))
    def meaning(self, row: SagaTimer) -> str:
        return _("makes the attempt") if row.is_retry else _("no longer waits for an answer")


@admin.register(ProcessDeadline)
class DeadlineAdmin(DueAdmin):
    list_display = ("due", "saga", "step", "direction", "meaning")
    fields = ("saga_id", "step", "direction", "due_at")

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        word = term.strip()
        ordering = ["step", "direction"]
        return [Condition(values={"saga_id": word}, ordering=ordering)] if word else []

    @admin.display(description=gettext_lazy("what for"))
    def meaning(self, row: ProcessDeadline) -> str:
        if row.is_second:
            return _("turning it back has to have an effect by then")
        return _("the step has to be answered by then")


add_entry(Entry(label=gettext_lazy("Timers"), rank=210, model=SagaTimer))
add_entry(Entry(label=gettext_lazy("Deadlines"), rank=220, model=ProcessDeadline))
