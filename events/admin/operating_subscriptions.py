"""What operators can do about subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..delivery import operations
from ..delivery.background import ask_for_rebuild
from ..delivery.dead_letters import Outcome, Skipped
from ..exceptions import EventsError
from ..explorer.links import object_url
from ..explorer.queries import in_log_database
from ..models import Operation as OperationRow
from ..models import SubscriptionState
from ..projections import projections
from .forms import ConfirmedForm, ReasonForm, ResetForm
from .operating import Operation

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

Status = SubscriptionState.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnSubscriptions(Operation):
    do: Callable[..., None]
    needs_reason: bool = True
    #: Status in which there is nothing to do, and a sentence about it.
    is_so: tuple[str, Any] = ("", "")

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        names = request.GET.getlist("id")
        return in_log_database(SubscriptionState.objects.filter(pk__in=names)).order_by("pk")

    def why_not(self, row: SubscriptionState) -> Any:
        status, sentence = self.is_so
        return sentence if row.status == status else ""

    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form:
        form = ReasonForm(data)
        form.fields["reason"].required = self.needs_reason
        return form

    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        done, skipped = [], []
        actor, reason = request.user.get_username(), form.cleaned_data["reason"]
        for number, row in enumerate(rows):
            try:
                self.do(row.name, actor=actor, reason=reason)
                done.append(number)
            except EventsError as error:
                skipped.append(Skipped(number, str(error)))
        return Outcome(tuple(done), tuple(skipped))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnOneSubscription(Operation):
    """The first one that the address names. Its name is typed to confirm."""

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        names = request.GET.getlist("id")[:1]
        return in_log_database(SubscriptionState.objects.filter(pk__in=names))

    def way_on(self, model_admin: ModelAdmin[Any], outcome: Outcome) -> str:
        return object_url(model_admin.admin_site, OperationRow, outcome.done[0])


def _confirm(rows: Sequence[SubscriptionState]) -> dict[str, Any]:
    name = rows[0].name if rows else ""
    return {"expected": name, "label": _("Type %(name)s to confirm") % {"name": name}}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reset(_OnOneSubscription):
    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form:
        return ResetForm(data, **_confirm(rows))

    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        assert isinstance(form, ResetForm)
        name, reason = form.cleaned_data["confirmed"], form.cleaned_data["reason"]
        actor = request.user.get_username()
        operations.reset(name, to=form.start, actor=actor, reason=reason)
        return Outcome(done=(0,))

    def way_on(self, model_admin: ModelAdmin[Any], outcome: Outcome) -> str:
        return Operation.way_on(self, model_admin, outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rebuild(_OnOneSubscription):
    def rows(self, request: HttpRequest) -> Any:
        """Projections that are written with the append have no row."""
        names = request.GET.getlist("id")[:1]
        return [SubscriptionState(name=each.name) for each in projections if each.name in names]

    def why_not(self, row: SubscriptionState) -> Any:
        is_one = any(each.name == row.name for each in projections)
        return "" if is_one else _("It is no projection: reset it to have events handled again.")

    def form(self, data: Any, rows: Sequence[Any], request: HttpRequest) -> forms.Form:
        return ConfirmedForm(data, **_confirm(rows))

    def act(self, form: forms.Form, rows: Sequence[Any], request: HttpRequest) -> Outcome:
        name, reason = form.cleaned_data["confirmed"], form.cleaned_data["reason"]
        asked = ask_for_rebuild(name, actor=request.user.get_username(), reason=reason)
        return Outcome(done=(asked.pk,))


PAUSE = _OnSubscriptions(
    name="pause",
    label=gettext_lazy("Pause"),
    permission="operate_subscription",
    warning=gettext_lazy("Nothing of them is handled until they are resumed. No event is lost."),
    do=operations.pause,
    is_so=(Status.PAUSED, gettext_lazy("It is paused.")),
)
RESUME = _OnSubscriptions(
    name="resume",
    label=gettext_lazy("Resume"),
    permission="operate_subscription",
    do=operations.resume,
    needs_reason=False,
)
RESET = _Reset(
    name="reset",
    label=gettext_lazy("Reset"),
    permission="reset_subscription",
    warning=gettext_lazy(
        "It goes on from another position, without its failed events. Going back, its handler gets "
        "events again that it had before; what it did stays done. Going forward, it never gets "
        "what lies between."
    ),
)
REBUILD = _Rebuild(
    name="rebuild",
    label=gettext_lazy("Rebuild"),
    permission="rebuild_subscription",
    warning=gettext_lazy(
        "Its rows are made anew from the whole log, in tables of their own, by the workers. The "
        "old rows stay readable until the new ones take their place. Its failed events are handled "
        "again on the way."
    ),
)
