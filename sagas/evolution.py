"""The state after an event. Knows no definition: what was once decided is never decided again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from events.exceptions import MissingApplyMethod
from events.messages import DomainEvent

from . import events
from .events import Action
from .identity import Direction
from .state import Answer, Leg, OpenItem, Progress, SagaState, Status, changed

DO, UNDO = Direction.DO, Direction.UNDO

Evolve: TypeAlias = Callable[[SagaState, Any], SagaState]

_AFTER: dict[type[DomainEvent], Evolve] = {}


def evolve(state: SagaState | None, event: DomainEvent) -> SagaState:
    if isinstance(event, events.SagaStarted):
        return SagaState(
            saga_type=event.saga_type,
            definition_version=event.definition_version,
            fingerprint=event.fingerprint,
            key=event.key,
            start_message_id=event.start_message_id,
            data=event.data,
        )
    after = _AFTER.get(type(event))
    if after is None or state is None:
        raise MissingApplyMethod(SagaState, type(event), "function in sagas.evolution")
    return after(state, event)


def _after(*event_classes: type[DomainEvent]) -> Callable[[Evolve], Evolve]:
    def register(function: Evolve) -> Evolve:
        _AFTER.update(dict.fromkeys(event_classes, function))
        return function

    return register


def _with_leg(state: SagaState, step: str, direction: Direction, leg: Leg) -> SagaState:
    if direction is DO:
        return changed(state, do={**state.do, step: leg})
    return changed(state, undo={**state.undo, step: leg})


def _with_changed_leg(
    state: SagaState, step: str, direction: Direction, **changes: Any
) -> SagaState:
    return _with_leg(state, step, direction, changed(state.leg(step, direction), **changes))


def _without_item(state: SagaState, step: str) -> SagaState:
    if step not in state.items:
        return state
    return changed(state, items={name: item for name, item in state.items.items() if name != step})


def _without(attempts: tuple[int, ...], attempt: int) -> tuple[int, ...]:
    return tuple(each for each in attempts if each != attempt)


# --- doing ---


@_after(events.StepRequested)
def _step_requested(state: SagaState, event: events.StepRequested) -> SagaState:
    return _with_changed_leg(
        state,
        event.step,
        DO,
        progress=Progress.REQUESTED,
        attempt=event.attempt,
        due_at=event.due_at,
        open_attempts=(*state.leg(event.step, DO).open_attempts, event.attempt),
    )


@_after(events.StepSucceeded)
def _step_succeeded(state: SagaState, event: events.StepSucceeded) -> SagaState:
    return _done(
        state,
        event,
        progress=Progress.SUCCEEDED,
        answered=event.attempt,
        open_attempts=_without(state.leg(event.step, DO).open_attempts, event.attempt),
    )


@_after(events.StepSkipped)
def _step_skipped(state: SagaState, event: events.StepSkipped) -> SagaState:
    return _done(state, event, progress=Progress.SKIPPED)


def _done(
    state: SagaState, event: events.StepSucceeded | events.StepSkipped, **changes: Any
) -> SagaState:
    state = _with_changed_leg(state, event.step, DO, due_at=None, **changes)
    return changed(
        _without_item(state, event.step),
        data={**state.data, **event.learned},
        completed=(*state.completed, event.step),
    )


@_after(events.StepRejected)
def _step_rejected(state: SagaState, event: events.StepRejected) -> SagaState:
    return _with_changed_leg(
        state,
        event.step,
        DO,
        progress=Progress.REJECTED,
        due_at=None,
        open_attempts=_without(state.leg(event.step, DO).open_attempts, event.attempt),
        rejected_by=event.answer_id,
    )


@_after(events.StepFailed, events.StepTimedOut)
def _step_unknown(state: SagaState, event: events.StepFailed | events.StepTimedOut) -> SagaState:
    return _with_changed_leg(state, event.step, DO, progress=Progress.UNKNOWN, due_at=None)


@_after(events.StepRetryScheduled)
def _step_retry_scheduled(state: SagaState, event: events.StepRetryScheduled) -> SagaState:
    return _with_changed_leg(state, event.step, DO, progress=Progress.WAITING, due_at=event.due_at)


@_after(events.AnswerSetAside)
def _answer_set_aside(state: SagaState, event: events.AnswerSetAside) -> SagaState:
    leg = state.leg(event.step, DO)
    answer = Answer(attempt=event.attempt, succeeded=event.succeeded)
    leg = changed(
        leg,
        set_aside=(*leg.set_aside, answer),
        open_attempts=_without(leg.open_attempts, event.attempt),
    )
    state = _with_leg(state, event.step, DO, leg)
    needless = (
        not leg.may_have_effect and state.leg(event.step, UNDO).progress is Progress.UNTOUCHED
    )
    return changed(
        state,
        data={**state.data, **event.learned},
        undo_plan=tuple(step for step in state.undo_plan if not (needless and step == event.step)),
    )


@_after(events.PivotPassed)
def _pivot_passed(state: SagaState, event: events.PivotPassed) -> SagaState:
    return changed(state, pivot_passed=True)


# --- undoing ---


@_after(events.CompensationPlanned)
def _compensation_planned(state: SagaState, event: events.CompensationPlanned) -> SagaState:
    """Turns back. What was under way is no longer waited for; what was open, was about doing."""
    if not state.is_backward:
        do = {name: _given_up(leg) for name, leg in state.do.items()}
        state = changed(state, do=do, items={}, is_backward=True)
    return changed(state, undo_plan=(*state.undo_plan, *event.steps), end=None)


def _given_up(leg: Leg) -> Leg:
    return changed(leg, progress=Progress.UNKNOWN, due_at=None) if leg.is_under_way else leg


@_after(events.CompensationRequested)
def _compensation_requested(state: SagaState, event: events.CompensationRequested) -> SagaState:
    leg = state.leg(event.step, UNDO)
    if leg.is_done or leg.progress is Progress.ABANDONED:
        leg = changed(leg, pardoned=leg.attempt)
        state = _with_late_effect(state, event.step)
    leg = changed(leg, progress=Progress.REQUESTED, attempt=event.attempt, due_at=event.due_at)
    return changed(_with_leg(state, event.step, UNDO, leg), end=None)


def _with_late_effect(state: SagaState, step: str) -> SagaState:
    if step in state.late_effects:
        return state
    return changed(state, late_effects=(*state.late_effects, step))


@_after(events.CompensationSucceeded)
def _compensation_succeeded(state: SagaState, event: events.CompensationSucceeded) -> SagaState:
    state = _with_changed_leg(
        state,
        event.step,
        UNDO,
        progress=Progress.SUCCEEDED,
        due_at=None,
        answered=event.attempt,
    )
    return _without_item(state, event.step)


@_after(events.CompensationRetryScheduled)
def _compensation_retry_scheduled(
    state: SagaState, event: events.CompensationRetryScheduled
) -> SagaState:
    return _with_changed_leg(
        state, event.step, UNDO, progress=Progress.WAITING, due_at=event.due_at
    )


@_after(events.CompensationFailed)
def _compensation_failed(state: SagaState, event: events.CompensationFailed) -> SagaState:
    leg = state.leg(event.step, UNDO)
    if leg.is_done or leg.progress is Progress.ABANDONED:
        state = _with_late_effect(state, event.step)
    state = _with_changed_leg(state, event.step, UNDO, progress=Progress.FAILED, due_at=None)
    return changed(state, end=None)


@_after(events.CompensationSkipped)
def _compensation_skipped(state: SagaState, event: events.CompensationSkipped) -> SagaState:
    state = _with_changed_leg(state, event.step, UNDO, progress=Progress.SKIPPED, due_at=None)
    return _without_item(state, event.step)


@_after(events.CompensationAbandoned)
def _compensation_abandoned(state: SagaState, event: events.CompensationAbandoned) -> SagaState:
    state = _with_changed_leg(state, event.step, UNDO, progress=Progress.ABANDONED, due_at=None)
    return _without_item(state, event.step)


# --- people, and the end ---


@_after(events.InterventionRequested)
def _intervention_requested(state: SagaState, event: events.InterventionRequested) -> SagaState:
    item = OpenItem(direction=event.direction, problem=event.problem, advice=event.advice)
    return changed(state, items={**state.items, event.step: item})


@_after(events.OperatorActed)
def _operator_acted(state: SagaState, event: events.OperatorActed) -> SagaState:
    state = changed(state, actions=(*state.actions, event.action_id))
    match event.action:
        case Action.RETRY if event.step is not None:
            direction = UNDO if state.is_backward else DO
            attempt = state.leg(event.step, direction).attempt
            state = _with_changed_leg(state, event.step, direction, pardoned=attempt)
            return _without_item(state, event.step)
        case Action.FORCE_ABORT:
            return changed(state, is_forced=True)
        case Action.RELEASE:
            return changed(state, blocked_by=None)
    return state


@_after(events.SagaBlocked)
def _blocked(state: SagaState, event: events.SagaBlocked) -> SagaState:
    return changed(state, blocked_by=event.reason)


@_after(events.SagaCompleted)
def _completed(state: SagaState, event: events.SagaCompleted) -> SagaState:
    return changed(state, end=Status.COMPLETED)


@_after(events.SagaCompensated)
def _compensated(state: SagaState, event: events.SagaCompensated) -> SagaState:
    return changed(state, end=Status.COMPENSATED)


@_after(events.SagaFailed)
def _failed(state: SagaState, event: events.SagaFailed) -> SagaState:
    return changed(state, end=Status.FAILED)
