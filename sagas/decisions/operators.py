"""What an operator asks for: carried out and recorded, or refused with the reason."""

from __future__ import annotations

from typing import NoReturn

from events.exceptions import DecodingError, InvalidInput

from ..events import Action, OperatorActed
from ..exceptions import ActionNotPossible
from ..identity import Direction
from ..inputs import Abort, Compensate, OperatorAction, Release, RetryStep, SkipStep
from ..plan import PlannedStep
from ..state import Leg, Progress
from . import backward, forward
from .draft import Draft

_STUCK = frozenset({Progress.WAITING, Progress.UNKNOWN, Progress.FAILED})


def act(draft: Draft, given: OperatorAction) -> None:
    if given.action_id in draft.state.actions:
        return
    for name in ("operator", "reason"):
        if not getattr(given, name).strip():
            raise InvalidInput(name, "must not be empty: it is kept with the action")
    match given:
        case RetryStep():
            _retry(draft, given)
        case SkipStep():
            _skip(draft, given)
        case Compensate():
            _turn_back(draft, given, Action.COMPENSATE)
        case Abort(force=True):
            _force_abort(draft, given)
        case Abort():
            _turn_back(draft, given, Action.ABORT)
        case Release():
            if draft.state.blocked_by is None:
                _refuse(draft, "it isn't blocked")
            _record(draft, given, Action.RELEASE)


def _record(draft: Draft, given: OperatorAction, action: Action) -> None:
    draft.add(
        OperatorActed,
        action_id=given.action_id,
        action=action,
        step=getattr(given, "step", None),
        operator=given.operator,
        reason=given.reason,
    )


def _retry(draft: Draft, given: RetryStep) -> None:
    step, direction, leg = _leg(draft, given)
    if leg.progress not in _STUCK:
        _refuse(draft, f"{given.step} is {leg.progress}: only what failed or waits is retried")
    if direction is Direction.UNDO and step.undo is None:
        _refuse(draft, f"{given.step} has no compensation: undo it by hand, and skip it")
    _record(draft, given, Action.RETRY)
    draft.request(step, direction)


def _skip(draft: Draft, given: SkipStep) -> None:
    step, direction, leg = _leg(draft, given)
    if leg.progress not in _STUCK | {Progress.REQUESTED}:
        _refuse(draft, f"{given.step} is {leg.progress}: only what was requested can be skipped")
    if direction is Direction.UNDO:
        _record(draft, given, Action.SKIP)
        backward.skipped(draft, step, given.reason)
        return
    _check_learned(draft, step, given)
    _record(draft, given, Action.SKIP)
    forward.skipped(draft, step, given.reason, dict(given.learned))


def _check_learned(draft: Draft, step: PlannedStep, given: SkipStep) -> None:
    expected = set(step.learns.values())
    if given.learned.keys() != expected:
        names = ", ".join(sorted(expected)) or "nothing"
        raise InvalidInput("learned", f"{given.step} learns {names} from its answer: give that")
    try:
        draft.plan.load_state({**draft.state.data, **given.learned})
    except DecodingError as error:
        raise error.under("learned") from None


def _turn_back(draft: Draft, given: Compensate | Abort, action: Action) -> None:
    """Twice is once: the second finds what it asks for."""
    state = draft.state
    if state.is_backward:
        return
    if state.has_ended:
        _refuse(draft, f"it is {state.status}")
    if state.pivot_passed:
        _refuse(draft, "its pivot is passed: it can only go forward, or be aborted by force")
    _record(draft, given, action)
    backward.turn_back(draft, f"{given.operator}: {given.reason}")


def _force_abort(draft: Draft, given: Abort) -> None:
    state = draft.state
    if state.has_ended:
        if state.is_backward:
            return
        _refuse(draft, f"it is {state.status}")
    if state.is_forced and not state.items:
        return
    _record(draft, given, Action.FORCE_ABORT)
    if state.is_backward:
        backward.abandon_failed(draft, given.reason)
    else:
        backward.turn_back(draft, f"{given.operator}: {given.reason}")


def _leg(draft: Draft, given: RetryStep | SkipStep) -> tuple[PlannedStep, Direction, Leg]:
    step = draft.plan.steps.get(given.step)
    if step is None:
        raise InvalidInput("step", f"{draft.state.saga_type} has no step {given.step!r}")
    if draft.state.has_ended:
        _refuse(draft, f"it is {draft.state.status}")
    direction = Direction.UNDO if draft.state.is_backward else Direction.DO
    return step, direction, draft.leg(step, direction)


def _refuse(draft: Draft, reason: str) -> NoReturn:
    state = draft.state
    raise ActionNotPossible(
        f"{state.saga_id} doesn't allow this: {reason}.", saga_id=state.saga_id, reason=reason
    )
