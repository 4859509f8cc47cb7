"""The page before a bulk operation: how many dead letters there are, which, and why it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..delivery import bulk
from ..delivery.bulk import Conditions, Survey
from ..exceptions import EventsError, InvalidInput
from ..explorer.failed_event_details import shown_errors
from ..explorer.links import list_url, object_url
from ..models import Operation
from .forms import BulkForm
from .operating import OperationPage
from .pages import check_parameters

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

_SHOWN = 10
#: Names of the conditions in the address.
_PARAMETERS = {
    "group": "fingerprint",
    "subscription": "subscription",
    "type": "event_type",
    "stream": "stream",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperation(OperationPage):
    kind: str
    needs_reason: bool

    def respond(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
        check_parameters(request)
        conditions = Conditions(
            **{
                condition: request.GET[name]
                for name, condition in _PARAMETERS.items()
                if request.GET.get(name)
            }
        )
        back = list_url(model_admin.admin_site, model_admin.model)
        try:
            seen = self._survey(conditions, request)
        except InvalidInput as error:
            messages.error(request, str(error))
            return redirect(back)
        if not seen.count:
            messages.warning(request, _("No dead letter meets these conditions."))
            return redirect(back)
        form = self._form(request, seen)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            try:
                asked = bulk.ask(
                    self.kind,
                    conditions,
                    seen,
                    actor=request.user.get_username(),
                    reason=values["reason"],
                )
            except EventsError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("The workers carry it out; you can leave this page."))
                return redirect(object_url(model_admin.admin_site, Operation, asked.pk))
        return self._page(model_admin, request, form, conditions, seen)

    def _survey(self, conditions: Conditions, request: HttpRequest) -> Survey:
        """Those that the operator has seen, as long as they are there."""
        if not conditions.given():
            raise InvalidInput("conditions", _("choose a group or a subscription"))
        up_to = request.POST.get("up_to", "")
        return bulk.survey(conditions, up_to=int(up_to) if up_to.isdecimal() else None)

    def _form(self, request: HttpRequest, seen: Survey) -> BulkForm:
        form = BulkForm(
            request.POST if request.method == "POST" else None,
            expected=str(seen.count),
            label=_("Type %(count)d to confirm the number") % {"count": seen.count},
        )
        form.fields["up_to"].initial = seen.up_to
        form.fields["reason"].required = self.needs_reason
        return form

    def _page(
        self,
        model_admin: ModelAdmin[Any],
        request: HttpRequest,
        form: BulkForm,
        conditions: Conditions,
        seen: Survey,
    ) -> HttpResponse:
        slim = conditions.rows().defer("traceback", "edited")
        rows = list(slim.filter(pk__lte=seen.up_to).order_by("-pk")[:_SHOWN])
        errors = shown_errors(request, rows)
        return self.page(
            model_admin,
            request,
            form,
            count=seen.count,
            conditions=conditions.given().items(),
            samples=[(row, errors[row.pk]) for row in rows],
            more=seen.count - len(rows),
        )


BULK_RETRY = BulkOperation(
    name="retry-all",
    label=gettext_lazy("Retry all of them"),
    permission="retry_failedevent",
    template="events/explorer/bulk.html",
    warning=gettext_lazy(
        "Those that are dead letters now are retried by the workers, each once. What fails "
        "meanwhile is not of the set. You can cancel it on the way."
    ),
    kind=Operation.Kind.RETRY,
    needs_reason=False,
)
BULK_DISCARD = BulkOperation(
    name="discard-all",
    label=gettext_lazy("Discard all of them"),
    permission="discard_failedevent",
    template="events/explorer/bulk.html",
    warning=gettext_lazy(
        "Their handler will never get them; the events that wait behind them go on. "
        "What is done when you cancel it stays done."
    ),
    kind=Operation.Kind.DISCARD,
    needs_reason=True,
)
