"""On the way back: steps are undone stage by stage, the last one first.

All that was requested and not definitely without effect is undone, also where no answer came.
"""

from __future__ import annotations

from uuid import UUID

from ..events import (
    CompensationAbandoned,
    CompensationFailed,
    CompensationPlanned,
    CompensationRetryScheduled,
    CompensationSkipped,
    CompensationSucceeded,
    SagaCompensated,
    SagaFailed,
)
from ..identity import Direction
from ..plan import PlannedStep
from ..state import Leg, Progress
from ..step import LateSuccess
from .draft import Draft

UNDO = Direction.UNDO


def turn_back(draft: Draft, reason: str) -> None:
    draft.add(CompensationPlanned, steps=_to_undo(draft), reason=reason)
    advance(draft)


def _to_undo(draft: Draft) -> list[str]:
    """In reverse order of completion. In a stage, what has no answer yet comes first."""
    place = {name: number for number, name in enumerate(draft.state.completed)}
    names = []
    for stage in draft.plan.undo_stages:
        steps = [step.name for step in reversed(stage) if _may_have_effect(draft, step)]
        names += sorted(steps, key=lambda name: -place.get(name, len(place)))
    return names


def _may_have_effect(draft: Draft, step: PlannedStep) -> bool:
    is_start = step.do is None
    return is_start or (draft.leg(step, Direction.DO).may_have_effect and not step.effect_free)


def advance(draft: Draft) -> None:
    """Undoes the last stage that isn't undone; before the first one, ends."""
    for stage in draft.plan.undo_stages:
        steps = [draft.plan.steps[name] for name in draft.state.undo_plan]
        for step in steps:
            if step in stage and draft.leg(step, UNDO).progress is Progress.UNTOUCHED:
                _begin(draft, step)
        if any(_holds_back(step, draft.leg(step, UNDO)) for step in steps if step in stage):
            return
    _end(draft)


def _begin(draft: Draft, step: PlannedStep) -> None:
    if step.undo is not None:
        draft.request(step, UNDO)
    elif draft.state.is_forced:
        draft.add(CompensationAbandoned, step=step.name, reason="it has no compensation")
    else:
        _give_up(draft, step, 0, "has no compensation")


def _holds_back(step: PlannedStep, leg: Leg) -> bool:
    if leg.progress is Progress.FAILED:
        return step.undo is not None and step.undo.holds_back_earlier
    return leg.is_under_way


def _end(draft: Draft) -> None:
    state = draft.state
    legs = {name: state.leg(name, UNDO).progress for name in state.undo_plan}
    if Progress.FAILED in legs.values():
        return
    left_standing = [name for name, progress in legs.items() if progress is Progress.ABANDONED]
    if left_standing:
        draft.add(SagaFailed, left_standing=left_standing)
    else:
        draft.add(SagaCompensated, late_effects=list(state.late_effects))


def succeeded(draft: Draft, step: PlannedStep, attempt: int, answer_id: UUID | None) -> None:
    draft.add(CompensationSucceeded, step=step.name, attempt=attempt, answer_id=answer_id)
    advance(draft)


def failed(draft: Draft, step: PlannedStep, attempt: int, reason: str) -> None:
    """For good."""
    _give_up(draft, step, attempt, reason)
    advance(draft)


def lost(draft: Draft, step: PlannedStep, reason: str) -> None:
    """The attempt under way ended without an answer."""
    attempt = draft.leg(step, UNDO).attempt
    if draft.is_exhausted(step, UNDO):
        failed(draft, step, attempt, reason)
        return
    draft.add(
        CompensationRetryScheduled,
        step=step.name,
        attempt=attempt + 1,
        reason=reason,
        due_at=draft.next_attempt_at(step, UNDO),
    )


def skipped(draft: Draft, step: PlannedStep, evidence: str) -> None:
    draft.add(CompensationSkipped, step=step.name, evidence=evidence)
    advance(draft)


def abandon_failed(draft: Draft, reason: str) -> None:
    for name in draft.state.undo_plan:
        if draft.state.leg(name, UNDO).progress is Progress.FAILED:
            draft.add(CompensationAbandoned, step=name, reason=reason)
    advance(draft)


def _give_up(draft: Draft, step: PlannedStep, attempt: int, reason: str) -> None:
    draft.add(CompensationFailed, step=step.name, attempt=attempt, reason=reason)
    draft.call_operator(
        step,
        UNDO,
        f"{step.name} is not undone: {reason}.",
        "Undo it by hand and skip it with evidence"
        + (", or mend what stops it and retry it." if step.undo else "."),
    )


def late_success(draft: Draft, step: PlannedStep) -> None:
    """The effect of a step, which was or will be undone, is there after all."""
    progress = draft.leg(step, UNDO).progress
    is_planned = step.name in draft.state.undo_plan
    settled = progress in (Progress.SUCCEEDED, Progress.SKIPPED, Progress.ABANDONED)
    if step.effect_free or (is_planned and not settled):
        return
    if not is_planned:
        draft.add(CompensationPlanned, steps=[step.name], reason=f"{step.name} succeeded late")
    elif step.late_success is LateSuccess.RECORD:
        return
    elif step.late_success is LateSuccess.INTERVENE or step.undo is None:
        _give_up(draft, step, 0, "it succeeded after that")
    else:
        draft.request(step, UNDO)
    advance(draft)
