"""What an operator's action would do, decided on the state as it is. Nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from events.messages import DomainEvent

from . import events
from .decisions import decide
from .evolution import evolve
from .inputs import OperatorAction
from .instance import Saga
from .plan import Plan
from .state import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    step: str
    #: Type of the compensating command; None where the step has none.
    command_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Not `changes`: what is asked for is so already."""

    changes: bool
    #: All compensations that are planned by it, in order.
    undos: tuple[Undo, ...]
    #: What happens at once, in sentences.
    at_once: tuple[str, ...]
    status: Status


def preview(saga: Saga, given: OperatorAction) -> Preview:
    """Raises what `Saga.handle` does. Jitter apart, the same input is decided alike later."""
    if saga.state is None:
        raise LookupError(f"{saga.id} has not started.")
    decided = decide(saga.plan, saga.state, given, uniform=lambda least, most: most)
    state = saga.state
    for event in decided:
        state = evolve(state, event)
    return Preview(
        changes=bool(decided),
        undos=tuple(_undos(saga.plan, decided)),
        at_once=tuple(_sentences(decided)),
        status=state.status,
    )


def _undos(plan: Plan, decided: Iterable[DomainEvent]) -> Iterable[Undo]:
    for event in decided:
        if isinstance(event, events.CompensationPlanned):
            for name in event.steps:
                leg = plan.steps[name].undo
                command_type = None if leg is None else leg.command_class.command_type
                yield Undo(step=name, command_type=command_type)


_Say: TypeAlias = Callable[[Any], str]

_SENTENCES: dict[type[DomainEvent], _Say] = {
    events.StepRequested: lambda e: f"{e.command_type} is sent for {e.step}, attempt {e.attempt}.",
    events.StepSkipped: lambda e: f"{e.step} counts as done.",
    events.PivotPassed: lambda e: f"{e.step} is the pivot: there is no way back after it.",
    events.CompensationRequested: lambda e: (
        f"{e.command_type} is sent to undo {e.step}, attempt {e.attempt}."
    ),
    events.CompensationFailed: lambda e: f"{e.step} is not undone: it {e.reason}.",
    events.CompensationSkipped: lambda e: f"{e.step} counts as undone.",
    events.CompensationAbandoned: lambda e: f"{e.step} is given up: its effect stays.",
    events.SagaCompleted: lambda e: "The saga ends completed.",
    events.SagaCompensated: lambda e: "The saga ends compensated.",
    events.SagaFailed: lambda e: f"The saga ends failed. What stays: {', '.join(e.left_standing)}.",
}


def _sentences(decided: Iterable[DomainEvent]) -> Iterable[str]:
    for event in decided:
        say = _SENTENCES.get(type(event))
        if say is not None:
            yield say(event)
