"""On the way to completion."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from events.messages import DomainEvent

from ..events import (
    PivotPassed,
    SagaCompleted,
    StepRejected,
    StepRetryScheduled,
    StepSkipped,
    StepSucceeded,
)
from ..identity import Direction
from ..plan import PlannedStep
from ..state import Progress
from .backward import turn_back
from .draft import Draft

DO = Direction.DO


def advance(draft: Draft) -> None:
    """Requests the steps of the first stage that isn't done; after the last one, completes."""
    for stage in draft.plan.stages:
        for step in stage:
            _reach(draft, step)
        if not all(draft.leg(step, DO).is_done for step in stage):
            return
    draft.add(SagaCompleted)


def _reach(draft: Draft, step: PlannedStep) -> None:
    leg = draft.leg(step, DO)
    if leg.progress is not Progress.UNTOUCHED:
        return
    if any(answer.succeeded for answer in leg.set_aside):
        # The effect is there already: it is not asked for again.
        _settle(draft, step, StepSucceeded, attempt=0, answer_id=None, learned={})
    else:
        draft.request(step, DO)


def _settle(draft: Draft, step: PlannedStep, event_class: type[DomainEvent], **data: Any) -> None:
    draft.add(event_class, step=step.name, **data)
    if step.pivot:
        draft.add(PivotPassed, step=step.name)


def succeeded(
    draft: Draft, step: PlannedStep, attempt: int, answer_id: UUID | None, learned: dict[str, Any]
) -> None:
    _settle(draft, step, StepSucceeded, attempt=attempt, answer_id=answer_id, learned=learned)
    advance(draft)


def skipped(draft: Draft, step: PlannedStep, evidence: str, learned: dict[str, Any]) -> None:
    _settle(draft, step, StepSkipped, evidence=evidence, learned=learned)
    advance(draft)


def rejected(
    draft: Draft, step: PlannedStep, attempt: int, answer_id: UUID | None, reason: str
) -> None:
    draft.add(StepRejected, step=step.name, attempt=attempt, answer_id=answer_id, reason=reason)
    if must_succeed(draft, step):
        _try_again(draft, step)
        _call_operator(draft, step, f"was rejected: {reason}")
    else:
        turn_back(draft, f"{step.name} was rejected: {reason}")


def lost(
    draft: Draft, step: PlannedStep, event_class: type[DomainEvent], problem: str, **data: Any
) -> None:
    """The attempt under way ended without an answer."""
    draft.add(event_class, step=step.name, **data)
    exhausted = draft.is_exhausted(step, DO)
    if must_succeed(draft, step) or not exhausted:
        _try_again(draft, step)
        if exhausted:
            _call_operator(draft, step, problem)
    elif step.pivot and step.undo is None:
        draft.call_operator(
            step,
            DO,
            f"{step.name} {problem}. It may have had its effect, which nothing undoes.",
            "Find out, and skip it with evidence if it has, or compensate if it has not; or "
            "retry it.",
        )
    else:
        turn_back(draft, f"{step.name} {problem}")


def must_succeed(draft: Draft, step: PlannedStep) -> bool:
    return step.retriable or draft.state.pivot_passed


def _try_again(draft: Draft, step: PlannedStep) -> None:
    draft.add(
        StepRetryScheduled,
        step=step.name,
        attempt=draft.leg(step, DO).attempt + 1,
        due_at=draft.next_attempt_at(step, DO),
    )


def _call_operator(draft: Draft, step: PlannedStep, problem: str) -> None:
    draft.call_operator(
        step,
        DO,
        f"{step.name} {problem}. It has to succeed, and goes on being retried.",
        "Mend what stops it, or skip it with evidence that its effect is there.",
    )
