"""What operators can do to a saga, each with a permission of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.explorer.presentation import pretty_json

from .. import operations
from ..exceptions import SagasError
from ..inputs import Abort, Compensate, Release, RetryStep, SkipStep
from ..instance import Saga
from .forms import EvidenceForm, LearnedForm
from .operating import SagaOperation


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
    permission="retry_saga",
    kind=RetryStep,
    do=operations.retry_step,
    needs_step=True,
)
SKIP = _Skip(
    name="skip",
    label=gettext_lazy("Skip"),
    permission="skip_saga",
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
    permission="compensate_saga",
    warning=gettext_lazy("The saga turns back for good: what it has done is undone."),
    kind=Compensate,
    do=operations.compensate,
)
ABORT = SagaOperation(
    name="abort",
    label=gettext_lazy("Abort"),
    permission="abort_saga",
    warning=gettext_lazy("The saga turns back for good: what it has done is undone."),
    kind=Abort,
    do=operations.abort,
)
FORCE_ABORT = SagaOperation(
    name="force-abort",
    label=gettext_lazy("Abort by force"),
    permission="force_abort_saga",
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
    permission="release_saga",
    warning=gettext_lazy(
        "Do this when what blocked it is mended. Then retry the failed events that it has missed."
    ),
    kind=Release,
    do=operations.release,
)
OF_STEPS = (RETRY, SKIP)
OF_SAGAS = (RELEASE, COMPENSATE, ABORT, FORCE_ABORT)
