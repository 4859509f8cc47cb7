"""Operations that workers carry out: how far they are, and the way to stop one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..delivery import background
from ..delivery.dead_letters import Outcome
from ..explorer.filters import OperationStatusFilter
from ..explorer.links import object_url
from ..explorer.navigation import Entry, add_entry
from ..explorer.operation_details import Progress, operation_details
from ..explorer.presentation import badge, moment_column
from ..models import Operation
from .forms import ReasonForm
from .operated import OperatedAdmin
from .operating import Operation as OnRows

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cancel(OnRows):
    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        ids = [int(text) for text in request.GET.getlist("id")[:1] if text.isdecimal()]
        return background.operations().filter(pk__in=ids)

    def why_not(self, row: Operation) -> Any:
        return "" if row.is_open else _("It has ended.")

    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form:
        return ReasonForm(data)

    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        reason = form.cleaned_data["reason"]
        for row in rows:
            background.cancel(row.pk, actor=request.user.get_username(), reason=reason)
        return Outcome(done=tuple(row.pk for row in rows))

    def way_on(self, model_admin: ModelAdmin[Any], outcome: Outcome) -> str:
        if not outcome.done:
            return OnRows.way_on(self, model_admin, outcome)
        return object_url(model_admin.admin_site, Operation, outcome.done[0])


CANCEL = _Cancel(
    name="cancel",
    label=gettext_lazy("Cancel"),
    permission="cancel_operation",
    warning=gettext_lazy("It goes no further. What it has done stays done."),
)


@admin.register(Operation)
class OperationAdmin(OperatedAdmin):
    change_form_template = "events/explorer/operation.html"
    details = staticmethod(operation_details)
    operations = (CANCEL,)
    ordering = ("-id",)
    list_display = ("operation", "state", "share", "about", "actor", "asked", "why")
    list_filter = (OperationStatusFilter,)
    fields = ("status",)  # the page is a template of its own

    asked = moment_column("created_at", gettext_lazy("asked for at"))

    @admin.display(description=gettext_lazy("operation"))
    def operation(self, row: Operation) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("status"))
    def state(self, row: Operation) -> SafeString:
        return badge(row.get_status_display(), Progress(operation=row).tone)

    @admin.display(description=gettext_lazy("done"))
    def share(self, row: Operation) -> str:
        progress = Progress(operation=row)
        return f"{progress.percent} %, {progress.reached:,} / {row.total:,}"

    @admin.display(description=gettext_lazy("about"))
    def about(self, row: Operation) -> str:
        return row.subscription or str(row.conditions.get("fingerprint", "-"))

    @admin.display(description=gettext_lazy("why"))
    def why(self, row: Operation) -> str:
        return row.reason[:80] or "-"


add_entry(Entry(label=gettext_lazy("Operations"), rank=320, model=Operation))
