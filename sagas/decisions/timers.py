"""Attempts without an answer, and those whose time has come. Outdated ones change nothing."""

from __future__ import annotations

from ..events import StepFailed, StepTimedOut
from ..exceptions import TimerNotDue
from ..identity import Direction
from ..inputs import Failed, OfAttempt, RetryDue, TimedOut
from ..plan import PlannedStep
from ..state import Leg, Progress
from . import backward, forward
from .draft import Draft


def failed(draft: Draft, given: Failed) -> None:
    step = _under_way(draft, given)
    if step is None:
        return
    if given.direction is Direction.UNDO:
        backward.lost(draft, step, given.reason)
    else:
        forward.lost(
            draft,
            step,
            StepFailed,
            f"failed: {given.reason}",
            attempt=given.attempt,
            reason=given.reason,
        )


def timed_out(draft: Draft, given: TimedOut) -> None:
    step = _under_way(draft, given)
    if step is None:
        return
    _check_due(draft.leg(step, given.direction), given)
    if given.direction is Direction.UNDO:
        backward.lost(draft, step, "timed out")
    else:
        forward.lost(draft, step, StepTimedOut, "timed out", attempt=given.attempt)


def retry_due(draft: Draft, given: RetryDue) -> None:
    step = draft.plan.steps[given.step]
    leg = draft.leg(step, given.direction)
    if leg.progress is Progress.WAITING and leg.attempt + 1 == given.attempt:
        _check_due(leg, given)
        draft.request(step, given.direction)


def _under_way(draft: Draft, given: OfAttempt) -> PlannedStep | None:
    leg = draft.state.leg(given.step, given.direction)
    requested = leg.progress is Progress.REQUESTED and leg.attempt == given.attempt
    return draft.plan.steps[given.step] if requested else None


def _check_due(leg: Leg, given: TimedOut | RetryDue) -> None:
    if leg.due_at is None or given.at >= leg.due_at:
        return
    raise TimerNotDue(leg.due_at, given.at)
