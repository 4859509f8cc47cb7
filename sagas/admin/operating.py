"""The page between an operation and what it does: it shows that, and asks for a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from events.admin.operating import OperationPage
from events.exceptions import EventsError, InvalidInput, StaleVersion
from events.explorer.links import list_url, object_url
from events.identifiers import new_id

from ..clock import database_time
from ..exceptions import ActionNotPossible, SagasError
from ..explorer.details import find_saga
from ..inputs import OperatorAction
from ..instance import Saga
from ..models import SagaInstance
from ..preview import Preview, preview
from .forms import SagaForm

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class Refused(Exception):
    """The saga doesn't allow it as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaOperation(OperationPage):
    template: str = "sagas/operate.html"
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

    def refusal(self, saga: Saga, step: str | None, operator: str) -> str:
        """Why the saga doesn't allow it as it stands; empty where it does."""
        try:
            found = self.preview(saga, step, operator)
        except Refused as error:
            return str(error)
        return "" if found is None or found.changes else _("It is so already.")

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
        return self.page(
            model_admin,
            request,
            form,
            title=f"{self.label}: {saga.id}" + (f", {step}" if step else ""),
            preview=found,
            refusal=refusal,
            saga_id=saga.id,
            list_url=list_url(model_admin.admin_site, model_admin.model),
            back_url=object_url(model_admin.admin_site, SagaInstance, saga.id),
        )
