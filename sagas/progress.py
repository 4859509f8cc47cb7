"""Where each step of a saga stands, for people: from its plan and what has become of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from events.messages import DomainEvent

from .identity import Direction
from .plan import Plan, PlannedStep
from .process import Process, Reaction
from .process import Standing as ProcessStanding
from .state import OpenItem, Progress, SagaState, Status
from .step import START


class Standing(StrEnum):
    TO_COME = "to_come"
    DOING = "doing"
    #: For the time of the next attempt.
    RETRYING = "retrying"
    DONE = "done"
    #: An operator vouches for it.
    SKIPPED = "skipped"
    REJECTED = "rejected"
    #: No answer came, and none is waited for: there may be an effect.
    UNKNOWN = "unknown"
    #: The saga turned back, or ended, before it.
    NOT_REACHED = "not_reached"
    TO_UNDO = "to_undo"
    UNDOING = "undoing"
    RETRYING_UNDO = "retrying_undo"
    UNDONE = "undone"
    UNDONE_BY_HAND = "undone_by_hand"
    #: Waits for an operator.
    NOT_UNDONE = "not_undone"
    #: By force; its effect stays.
    GIVEN_UP = "given_up"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


_DOING = {
    Progress.REQUESTED: Standing.DOING,
    Progress.WAITING: Standing.RETRYING,
    Progress.SUCCEEDED: Standing.DONE,
    Progress.SKIPPED: Standing.SKIPPED,
    Progress.REJECTED: Standing.REJECTED,
    Progress.UNKNOWN: Standing.UNKNOWN,
}
_UNDOING = {
    Progress.REQUESTED: Standing.UNDOING,
    Progress.WAITING: Standing.RETRYING_UNDO,
    Progress.SUCCEEDED: Standing.UNDONE,
    Progress.SKIPPED: Standing.UNDONE_BY_HAND,
    Progress.FAILED: Standing.NOT_UNDONE,
    Progress.ABANDONED: Standing.GIVEN_UP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    name: str
    #: From 1, as people count; 0 is the start. None where no definition tells.
    stage: int | None
    standing: Standing
    #: Such as "pivot".
    traits: tuple[str, ...]
    do_attempts: int
    undo_attempts: int
    #: When the attempt under way times out, or when the next one is made.
    due_at: datetime | None
    item: OpenItem | None


def step_views(plan: Plan | None, state: SagaState) -> list[StepView]:
    """In the order of the plan. Without one, those that something has happened to."""
    if plan is None:
        names = dict.fromkeys((*state.do, *state.undo_plan, *state.undo, *state.items))
        return [_view(name, None, state) for name in names]
    return [_view(step.name, step, state) for step in _in_order(plan)]


def process_views(
    process: Process, seen: Mapping[str, int], settled: Collection[str] = ()
) -> list[StepView]:
    """Of a choreographed process, in the order of declaration: from the events that were seen."""
    standing = process.standing(seen, settled)
    open_legs = {(leg.step, leg.direction) for leg in standing.open_legs}
    return [
        StepView(
            name=step.name,
            stage=None,
            standing=_standing_of(process, step, seen, settled, open_legs, standing),
            traits=(),
            do_attempts=0,
            undo_attempts=0,
            due_at=None,
            item=None,
        )
        for step in process.steps
    ]


def _standing_of(
    process: Process,
    step: Reaction,
    seen: Mapping[str, int],
    settled: Collection[str],
    open_legs: Collection[tuple[str, Direction]],
    whole: ProcessStanding,
) -> Standing:
    def any_seen(classes: Iterable[type[DomainEvent]]) -> bool:
        return any(cls.event_type in seen for cls in classes)

    if (step.name, Direction.UNDO) in open_legs:
        return Standing.UNDOING
    if any(any_seen(undo.emits) for undo in process.undos(step)):
        return Standing.UNDONE
    if step.name in settled:
        return Standing.UNDONE_BY_HAND
    if any_seen(process.successes(step)):
        return Standing.DONE
    if any_seen(step.emits):
        return Standing.REJECTED
    if (step.name, Direction.DO) in open_legs:
        return Standing.DOING
    is_over = whole.has_ended or whole.status is Status.COMPENSATING
    return Standing.NOT_REACHED if is_over else Standing.TO_COME


def _in_order(plan: Plan) -> Iterator[PlannedStep]:
    if START in plan.steps:
        yield plan.steps[START]
    for stage in plan.stages:
        yield from stage


def _view(name: str, step: PlannedStep | None, state: SagaState) -> StepView:
    do, undo = state.leg(name, Direction.DO), state.leg(name, Direction.UNDO)
    return StepView(
        name=name,
        stage=step.stage + 1 if step else None,
        standing=_standing(name, state),
        traits=_traits(step) if step else (),
        do_attempts=do.attempt,
        undo_attempts=undo.attempt,
        due_at=undo.due_at or do.due_at,
        item=state.items.get(name),
    )


def _standing(name: str, state: SagaState) -> Standing:
    do, undo = state.leg(name, Direction.DO), state.leg(name, Direction.UNDO)
    if undo.progress in _UNDOING:
        return _UNDOING[undo.progress]
    if state.is_backward and name in state.undo_plan:
        return Standing.TO_UNDO
    if do.progress in _DOING:
        return _DOING[do.progress]
    if name == START:
        return Standing.DONE
    return Standing.NOT_REACHED if state.is_backward or state.has_ended else Standing.TO_COME


def _traits(step: PlannedStep) -> tuple[str, ...]:
    traits = {
        "pivot": step.pivot,
        "retriable": step.retriable,
        "effect free": step.effect_free,
    }
    return tuple(name for name, holds in traits.items() if holds)
