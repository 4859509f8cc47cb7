"""What operators can do about failed events that they have chosen one by one. For more of them
there is `bulk`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..delivery import dead_letters, dry_run
from ..delivery.dead_letters import Outcome
from ..exceptions import EventsError
from ..explorer.dry_run_details import dry_run_details
from ..explorer.failed_event_details import data_to_show
from ..explorer.links import list_url, object_url
from ..explorer.presentation import pretty_json
from ..models import FailedEvent
from ..personal.hiding import fill_in
from .forms import ChoiceForm, EditForm, ReasonForm, chosen_as_text
from .operating import Operation, OperationPage
from .pages import check_parameters

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnFailedEvents(Operation):
    do: Callable[..., Outcome]
    needs_reason: bool = True

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        ids = [int(text) for text in request.GET.getlist("id") if text.isdecimal()]
        return dead_letters.find().filter(pk__in=ids)

    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form:
        form = ChoiceForm(data, initial={"chosen": chosen_as_text(dead_letters.choose(rows))})
        form.fields["reason"].required = self.needs_reason
        return form

    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        values = form.cleaned_data
        return self.do(values["chosen"], actor=request.user.get_username(), reason=values["reason"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnOne(Operation):
    """The first one of those that the address names."""

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        ids = [int(text) for text in request.GET.getlist("id")[:1] if text.isdecimal()]
        return dead_letters.find().filter(pk__in=ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class _EditFailedEvent(_OnOne):
    """What is hidden from the user stays as it is where they leave it alone."""

    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form:
        chosen = chosen_as_text(dead_letters.choose(rows))
        shown = data_to_show(request, rows[0]) if rows else ""
        text = shown if isinstance(shown, str) else pretty_json(shown)
        return EditForm(data, initial={"chosen": chosen, "event_data": text})

    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        values = form.cleaned_data
        edited = values["event_data"]
        if rows:
            edited = fill_in(edited, dead_letters.data_to_edit(rows[0]))
        return dead_letters.edit_and_retry(
            values["chosen"][0],
            edited,
            actor=request.user.get_username(),
            reason=values["reason"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _DryRun(OperationPage):
    """Once it was tried, the page shows what would have happened."""

    def why_not(self, row: FailedEvent) -> Any:
        return dry_run.why_not(row) or ""

    def respond(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
        check_parameters(request)
        key = request.GET.get("id", "")
        row = dead_letters.find().filter(pk=int(key) if key.isdecimal() else 0).first()
        if row is None:
            messages.warning(request, _("This row is gone."))
            return redirect(list_url(model_admin.admin_site, model_admin.model))
        form = ReasonForm(request.POST if request.method == "POST" else None)
        form.fields["reason"].required = False
        found: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                tried = dry_run.dry_run(row, actor=request.user.get_username(), reason=reason)
                found = dry_run_details(model_admin.admin_site, request, row, tried)
            except EventsError as error:
                form.add_error(None, str(error))
        back_url = object_url(model_admin.admin_site, FailedEvent, row.pk)
        return self.page(model_admin, request, form, row=row, back_url=back_url, **found)


RETRY = _OnFailedEvents(
    name="retry",
    label=gettext_lazy("Retry"),
    permission="retry_failedevent",
    do=dead_letters.retry,
    needs_reason=False,
)
DRY_RUN = _DryRun(
    name="dry-run",
    label=gettext_lazy("Try it"),
    permission="retry_failedevent",
    template="events/explorer/dry_run.html",
    warning=gettext_lazy(
        "The handler is called with this event, in a transaction that is rolled back: what it "
        "writes and appends is shown, and nothing stays. Handlers that have their effects "
        "elsewhere are never called."
    ),
)
DISCARD = _OnFailedEvents(
    name="discard",
    label=gettext_lazy("Discard"),
    permission="discard_failedevent",
    warning=gettext_lazy(
        "Their handler will never get them; the events that wait behind them go on. "
        "This can't be undone."
    ),
    do=dead_letters.discard,
)
EDIT = _EditFailedEvent(
    name="edit",
    label=gettext_lazy("Edit and retry"),
    permission="edit_failedevent",
    warning=gettext_lazy(
        "The handler gets an event with this data in its place. The log stays as it is."
    ),
)
