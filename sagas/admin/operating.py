"""The page between an operation and what it does: it shows that, and asks for a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.admin.operating import OperationPage
from events.exceptions import EventsError, InvalidInput, StaleVersion
from events.explorer.links import list_url, object_url
from events.explorer.presentation import pretty_json
from events.identifiers import new_id

from .. import operations
from ..clock import database_time
from ..exceptions import ActionNotPossible, SagasError
from ..explorer.details import find_saga
from ..inputs import Abort, Compensate, OperatorAction, Release, RetryStep, SkipStep
from ..instance import Saga
from ..models import SagaInstance
from ..preview import Preview, preview
from .forms import EvidenceForm, LearnedForm, SagaForm

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class Refused(Exception):
    """The saga doesn't allow it as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaOperation(OperationPage):
    permission: str = "operate_saga"
    kind: Callable[..., OperatorAction]
    #: (saga id, operator=, reason=, expected_version=), and `step` where there is one.
    do: Callable[..., bool]
    needs_step: bool = False

    # --- what it would do ---

    def preview(self, saga: Saga, step: str | None, operator: str) -> Preview | None:
        """None where that depends on what the operator has yet to say. Raises Refused."""
        try:
            given = self.kind(
                action_id=new_id(),
                operator=operator or "-",
                reason="-",
                at=database_time(),
                **self.facts(saga, step),
            )
            return preview(saga, given)
        except (ActionNotPossible, SagasError) as error:
            raise Refused(str(error)) from error
        except Exception as error:
            # Commands are made by the host's code, which may not take what isn't known yet.
            if self.is_awaiting(saga, step):
                return None
            raise Refused(f"{type(error).__name__}: {error}") from error

    def is_possible(self, saga: Saga, step: str | None, operator: str) -> bool:
        try:
            found = self.preview(saga, step, operator)
        except Refused:
            return False
        return found is None or found.changes

    def facts(self, saga: Saga, step: str | None) -> dict[str, Any]:
        return {"step": step or ""} if self.needs_step else {}

    def is_awaiting(self, saga: Saga, step: str | None) -> bool:
        """Whether the operator has to give more than a reason."""
        return False

    def form(self, data: Any, saga: Saga, step: str | None) -> forms.Form:
        return SagaForm(data, initial={"version": saga.version})

    def act(self, saga_id: str, step: str | None, values: dict[str, Any], operator: str) -> bool:
        facts = {"step": step} if self.needs_step else {}
        return self.do(
            saga_id,
            operator=operator,
            reason=values["reason"],
            expected_version=values["version"],
            **facts,
        )

    # --- the page ---

    def respond(self, model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
        saga_id, step = request.GET.get("id", ""), request.GET.get("step")
        saga, problem = find_saga(saga_id)
        if saga is None or saga.state is None:
            messages.warning(request, problem or _("This saga is gone, or has no events."))
            return redirect(list_url(model_admin.admin_site, model_admin.model))
        if request.method != "POST":
            return self._page(model_admin, request, saga, step, self.form(None, saga, step))
        data = request.POST.copy()
        form = self.form(data, saga, step)
        if form.is_valid() and self._done(request, form, saga_id, step):
            return redirect(object_url(model_admin.admin_site, SagaInstance, saga_id))
        seen, _problem = find_saga(saga_id)
        return self._shown_again(model_admin, request, seen or saga, step, form, data)

    def _done(self, request: HttpRequest, form: forms.Form, saga_id: str, step: str | None) -> bool:
        try:
            done = self.act(saga_id, step, form.cleaned_data, request.user.get_username())
        except StaleVersion:
            form.add_error(
                None, _("The saga has moved on since you saw it. Look again at what would happen.")
            )
        except InvalidInput as error:
            known = error.field.partition(".")[0] in form.fields
            form.add_error(error.field.partition(".")[0] if known else None, str(error))
        except EventsError as error:
            form.add_error(None, str(error))
        else:
            said = _("%(operation)s: done.") if done else _("%(operation)s: it was so already.")
            messages.success(request, said % {"operation": self.label})
            return True
        return False

    def _shown_again(
        self,
        model_admin: ModelAdmin[Any],
        request: HttpRequest,
        saga: Saga,
        step: str | None,
        form: forms.Form,
        data: QueryDict,
    ) -> HttpResponse:
        # What is shown now is what is agreed to next.
        data["version"] = str(saga.version)
        return self._page(model_admin, request, saga, step, form)

    def _page(
        self,
        model_admin: ModelAdmin[Any],
        request: HttpRequest,
        saga: Saga,
        step: str | None,
        form: forms.Form,
    ) -> HttpResponse:
        found, refusal = None, ""
        try:
            found = self.preview(saga, step, request.user.get_username())
        except Refused as error:
            refusal = str(error)
        context = {
            **model_admin.admin_site.each_context(request),
            "title": f"{self.label}: {saga.id}" + (f", {step}" if step else ""),
            "opts": model_admin.opts,
            "media": model_admin.media,
            "form": form,
            "warning": self.warning,
            "preview": found,
            "refusal": refusal,
            "submit": self.label,
            "saga_id": saga.id,
            "list_url": list_url(model_admin.admin_site, model_admin.model),
            "back_url": object_url(model_admin.admin_site, SagaInstance, saga.id),
        }
        request.current_app = model_admin.admin_site.name
        return TemplateResponse(request, "sagas/operate.html", context)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Skip(SagaOperation):
    def facts(self, saga: Saga, step: str | None) -> dict[str, Any]:
        """What is to be learned is as it is known so far."""
        assert saga.state is not None
        known = saga.state.data
        return {
            "step": step or "",
            "learned": {name: known.get(name) for name in _learns(saga, step)},
        }

    def is_awaiting(self, saga: Saga, step: str | None) -> bool:
        return bool(_learns(saga, step))

    def form(self, data: Any, saga: Saga, step: str | None) -> forms.Form:
        names = _learns(saga, step)
        if not names:
            return EvidenceForm(data, initial={"version": saga.version})
        # Not as it is known so far: that is for those who may view events.
        learned = pretty_json(dict.fromkeys(names))
        form = LearnedForm(data, initial={"version": saga.version, "learned": learned})
        form.fields["learned"].help_text = _("A JSON object with %(names)s.") % {
            "names": ", ".join(names)
        }
        return form

    def act(self, saga_id: str, step: str | None, values: dict[str, Any], operator: str) -> bool:
        return self.do(
            saga_id,
            step,
            operator=operator,
            evidence=values["reason"],
            learned=values.get("learned", {}),
            expected_version=values["version"],
        )


def _learns(saga: Saga, step: str | None) -> list[str]:
    """Fields of the typed state that the answer of the step would fill."""
    try:
        planned = saga.plan.steps.get(step or "")
    except SagasError:
        return []
    if planned is None or saga.state is None or saga.state.is_backward:
        return []
    return list(planned.learns.values())


def _force_abort(**facts: Any) -> Abort:
    return Abort(force=True, **facts)


def _do_force_abort(saga_id: str, **options: Any) -> bool:
    return operations.abort(saga_id, force=True, **options)


RETRY = SagaOperation(
    name="retry",
    label=gettext_lazy("Retry"),
    kind=RetryStep,
    do=operations.retry_step,
    needs_step=True,
)
SKIP = _Skip(
    name="skip",
    label=gettext_lazy("Skip"),
    warning=gettext_lazy(
        "You vouch for it: nobody is asked any more, and the saga goes on as if it were done."
    ),
    kind=SkipStep,
    do=operations.skip_step,
    needs_step=True,
)
COMPENSATE = SagaOperation(
    name="compensate",
    label=gettext_lazy("Compensate"),
    warning=gettext_lazy("The saga turns back for good: what it has done is undone."),
    kind=Compensate,
    do=operations.compensate,
)
ABORT = SagaOperation(
    name="abort",
    label=gettext_lazy("Abort"),
    warning=gettext_lazy("The saga turns back for good: what it has done is undone."),
    kind=Abort,
    do=operations.abort,
)
FORCE_ABORT = SagaOperation(
    name="force-abort",
    label=gettext_lazy("Abort by force"),
    warning=gettext_lazy(
        "The saga turns back for good, also after its pivot. What can't be undone stays, and "
        "nobody is told of it again. This can't be undone."
    ),
    kind=_force_abort,
    do=_do_force_abort,
)
RELEASE = SagaOperation(
    name="release",
    label=gettext_lazy("Release"),
    warning=gettext_lazy(
        "Do this when what blocked it is mended. Then retry the failed events that it has missed."
    ),
    kind=Release,
    do=operations.release,
)
OF_STEPS = (RETRY, SKIP)
OF_SAGAS = (RELEASE, COMPENSATE, ABORT, FORCE_ABORT)
