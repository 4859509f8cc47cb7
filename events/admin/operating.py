"""The pages between an action and what it does: they show to which rows, and ask for a reason.
What operators can do is in the modules beside this one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from ..delivery.dead_letters import Outcome
from ..exceptions import EventsError
from ..explorer.links import list_url
from ..explorer.permissions import has_permission
from .pages import check_parameters

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

MAX_CHOSEN = 5_000
_SHOWN = 100


class OperationLink(NamedTuple):
    """`why_not`: the row doesn't allow it as it stands. Empty where it does."""

    label: Any
    url: str
    why_not: Any = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPage(ABC):
    name: str
    label: Any
    #: Codename.
    permission: str
    warning: Any = ""
    template: str = "events/explorer/operate.html"

    @abstractmethod
    def respond(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
        """To a user who may do this."""

    def why_not(self, row: Any) -> Any:
        """This can't be done to the row as it stands: a sentence, or nothing."""
        return ""

    def url_name(self, model_admin: ModelAdmin[Any]) -> str:
        options = model_admin.opts
        return f"{options.app_label}_{options.model_name}_{self.name}"

    def url(self, model_admin: ModelAdmin[Any], ids: Sequence[Any], **more: str) -> str:
        url = reverse(
            f"admin:{self.url_name(model_admin)}", current_app=model_admin.admin_site.name
        )
        return f"{url}?{urlencode({'id': ids, **more}, doseq=True)}"

    def is_permitted(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> bool:
        return model_admin.has_view_permission(request) and has_permission(
            request, model_admin.model, self.permission
        )

    def page(
        self,
        model_admin: ModelAdmin[Any],
        request: HttpRequest,
        form: forms.Form,
        **more: Any,
    ) -> HttpResponse:
        """`more` is what the template needs besides."""
        context = {
            **model_admin.admin_site.each_context(request),
            "title": self.label,
            "opts": model_admin.opts,
            "media": model_admin.media,
            "form": form,
            "warning": self.warning,
            "submit": self.label,
            "back_url": list_url(model_admin.admin_site, model_admin.model),
            **more,
        }
        request.current_app = model_admin.admin_site.name
        return TemplateResponse(request, self.template, context)

    def view(self, model_admin: ModelAdmin[Any]) -> Callable[[HttpRequest], HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            if not self.is_permitted(model_admin, request):
                raise PermissionDenied
            return self.respond(model_admin, request)

        return view


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(OperationPage):
    """On one or several rows."""

    # --- what differs ---

    @abstractmethod
    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that the address names."""

    @abstractmethod
    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form: ...

    @abstractmethod
    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        """Raises EventsError."""

    # --- the page ---

    def way_on(self, model_admin: ModelAdmin[Any], outcome: Outcome) -> str:
        """Address of what is shown then."""
        return list_url(model_admin.admin_site, model_admin.model)

    def redirect(self, model_admin: ModelAdmin[Any], chosen: QuerySet[Any]) -> HttpResponse:
        return redirect(self.url(model_admin, list(chosen.values_list("pk", flat=True))))

    def respond(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
        check_parameters(request)
        rows = list(self.rows(request)[:MAX_CHOSEN])
        back = list_url(model_admin.admin_site, model_admin.model)
        if not rows and request.method != "POST":
            messages.warning(request, _("These rows are gone."))
            return redirect(back)
        form = self.form(request.POST if request.method == "POST" else None, rows, request)
        if request.method == "POST" and form.is_valid():
            try:
                outcome = self.act(form, rows, request)
            except EventsError as error:
                form.add_error(None, str(error))
            else:
                tell(request, self.label, outcome)
                return redirect(self.way_on(model_admin, outcome))
        shown, more = rows[:_SHOWN], max(0, len(rows) - _SHOWN)
        return self.page(model_admin, request, form, rows=shown, more=more)


def tell(request: HttpRequest, label: Any, outcome: Outcome) -> None:
    if outcome.done:
        messages.success(
            request,
            _("%(operation)s: %(count)d done.") % {"operation": label, "count": len(outcome.done)},
        )
    for skipped in outcome.skipped[:10]:
        messages.warning(
            request, _("Skipped %(id)s: %(why)s.") % {"id": skipped.id, "why": skipped.why}
        )
    if len(outcome.skipped) > 10:
        messages.warning(request, _("%d were skipped in all.") % len(outcome.skipped))
