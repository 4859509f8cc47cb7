"""What operators did, newest first, by whom, about what, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..explorer.action_search import conditions
from ..explorer.conditions import Condition
from ..explorer.filters import ActionFilter
from ..explorer.navigation import Entry, add_entry
from ..explorer.operator_details import action_details, subject_url
from ..explorer.presentation import moment_column
from ..models import OperatorAction
from .log import LogAdmin


@admin.register(OperatorAction)
class OperatorActionAdmin(LogAdmin):
    change_form_template = "events/explorer/operator_action.html"
    details = staticmethod(action_details)
    ordering = ("-id",)
    list_display = ("done", "action", "about", "subscription", "actor", "why")
    list_filter = (ActionFilter,)
    list_defer = ("details",)
    search_fields = ("subject",)  # shows the box; get_conditions says what it searches
    search_help_text = _(
        "A stream (Order-…), the id of a saga, or: by:… subscription:… subject:… action:… Exact."
    )
    fields = (("done", "actor"), ("action", "subscription"), "about", "reason")

    done = moment_column("done_at", _("at"))

    def get_conditions(self, request: HttpRequest, term: str) -> list[Condition]:
        return conditions(term)

    @admin.display(description=_("about"))
    def about(self, row: OperatorAction) -> Any:
        if not row.subject:
            return "-"
        url = subject_url(self.admin_site, row)
        return format_html('<a href="{}">{}</a>', url, row.subject) if url else row.subject

    @admin.display(description=_("why"))
    def why(self, row: OperatorAction) -> str:
        return row.reason[:100] or "-"


add_entry(Entry(label=_("Operator log"), rank=390, model=OperatorAction))
