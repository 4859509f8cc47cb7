"""The pages between an action and what it does: they show to which rows, and ask for a reason."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from django.utils.translation import gettext_lazy

from ..delivery import dead_letters, operations
from ..delivery.dead_letters import Outcome, Skipped
from ..exceptions import EventsError
from ..explorer.delivery_details import data_as_text
from ..explorer.links import list_url
from ..explorer.permissions import has_permission
from ..explorer.queries import in_log_database
from ..models import FailedEvent, SubscriptionState
from .forms import ChoiceForm, EditForm, ReasonForm, chosen_as_text

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

MAX_CHOSEN = 5_000
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPage(ABC):
    name: str
    label: Any
    #: Codename.
    permission: str
    warning: Any = ""

    @abstractmethod
    def respond(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
        """To a user who may do this."""

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
    def form(self, data: Any, rows: Sequence[Any]) -> forms.Form: ...

    @abstractmethod
    def act(self, form: forms.Form, rows: Sequence[Any], actor: str) -> Outcome:
        """Raises EventsError."""

    # --- the page ---

    def redirect(self, model_admin: ModelAdmin[Any], chosen: QuerySet[Any]) -> HttpResponse:
        return redirect(self.url(model_admin, list(chosen.values_list("pk", flat=True))))

    def respond(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
        rows = list(self.rows(request)[:MAX_CHOSEN])
        back = list_url(model_admin.admin_site, model_admin.model)
        if not rows and request.method != "POST":
            messages.warning(request, _("These rows are gone."))
            return redirect(back)
        form = self.form(request.POST if request.method == "POST" else None, rows)
        if request.method == "POST" and form.is_valid():
            try:
                outcome = self.act(form, rows, request.user.get_username())
            except EventsError as error:
                form.add_error(None, str(error))
            else:
                _tell(request, self.label, outcome)
                return redirect(back)
        return self._page(model_admin, request, form, rows)

    def _page(
        self,
        model_admin: ModelAdmin[Any],
        request: HttpRequest,
        form: forms.Form,
        rows: Sequence[Any],
    ) -> HttpResponse:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": self.label,
            "opts": model_admin.opts,
            "media": model_admin.media,
            "form": form,
            "warning": self.warning,
            "rows": rows[:_SHOWN],
            "more": max(0, len(rows) - _SHOWN),
            "submit": self.label,
            "back_url": list_url(model_admin.admin_site, model_admin.model),
        }
        request.current_app = model_admin.admin_site.name
        return TemplateResponse(request, "events/explorer/operate.html", context)


def _tell(request: HttpRequest, label: Any, outcome: Outcome) -> None:
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


# --- failed events ---


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnFailedEvents(Operation):
    do: Callable[..., Outcome]
    needs_reason: bool = True

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        """By their ids, or all dead letters of a group."""
        group = request.GET.get("group")
        if group is not None:
            return dead_letters.find(fingerprint=group, status=FailedEvent.Status.DEAD)
        ids = [int(text) for text in request.GET.getlist("id") if text.isdecimal()]
        return dead_letters.find().filter(pk__in=ids)

    def form(self, data: Any, rows: Sequence[Any]) -> forms.Form:
        form = ChoiceForm(data, initial={"chosen": chosen_as_text(dead_letters.choose(rows))})
        form.fields["reason"].required = self.needs_reason
        return form

    def act(self, form: forms.Form, rows: Sequence[Any], actor: str) -> Outcome:
        values = form.cleaned_data
        return self.do(values["chosen"], actor=actor, reason=values["reason"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _EditFailedEvent(_OnFailedEvents):
    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        ids = [int(text) for text in request.GET.getlist("id")[:1] if text.isdecimal()]
        return dead_letters.find().filter(pk__in=ids)

    def form(self, data: Any, rows: Sequence[Any]) -> forms.Form:
        chosen = chosen_as_text(dead_letters.choose(rows))
        stored = data_as_text(rows[0]) if rows else ""
        return EditForm(data, initial={"chosen": chosen, "event_data": stored})

    def act(self, form: forms.Form, rows: Sequence[Any], actor: str) -> Outcome:
        values = form.cleaned_data
        [choice] = values["chosen"]
        return dead_letters.edit_and_retry(
            choice, values["event_data"], actor=actor, reason=values["reason"]
        )


RETRY = _OnFailedEvents(
    name="retry",
    label=gettext_lazy("Retry"),
    permission="retry_failedevent",
    do=dead_letters.retry,
    needs_reason=False,
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
    do=dead_letters.edit_and_retry,
)


# --- subscriptions ---


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnSubscriptions(Operation):
    do: Callable[..., None]
    needs_reason: bool = True

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        names = request.GET.getlist("id")
        return in_log_database(SubscriptionState.objects.filter(pk__in=names)).order_by("pk")

    def form(self, data: Any, rows: Sequence[Any]) -> forms.Form:
        form = ReasonForm(data)
        form.fields["reason"].required = self.needs_reason
        return form

    def act(self, form: forms.Form, rows: Sequence[Any], actor: str) -> Outcome:
        done, skipped = [], []
        for number, row in enumerate(rows):
            try:
                self.do(row.name, actor=actor, reason=form.cleaned_data["reason"])
                done.append(number)
            except EventsError as error:
                skipped.append(Skipped(number, str(error)))
        return Outcome(tuple(done), tuple(skipped))


PAUSE = _OnSubscriptions(
    name="pause",
    label=gettext_lazy("Pause"),
    permission="operate_subscription",
    warning=gettext_lazy("Nothing of them is handled until they are resumed. No event is lost."),
    do=operations.pause,
)
RESUME = _OnSubscriptions(
    name="resume",
    label=gettext_lazy("Resume"),
    permission="operate_subscription",
    do=operations.resume,
    needs_reason=False,
)
