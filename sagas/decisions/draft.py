"""A decision in the making: its events, and the state after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from events.messages import DomainEvent
from events.registry import command_types

from ..events import CompensationRequested, InterventionRequested, StepRequested
from ..evolution import evolve
from ..identity import Direction, effect_key_for, message_id_for
from ..outgoing import HANDLED_AT_ONCE
from ..plan import Plan, PlannedStep
from ..state import Leg, SagaState
from ..step import Effect

#: Whether the command of this leg will be handled in the commit that records its request.
AtOnce: TypeAlias = Callable[[PlannedStep, Direction], bool]

_NOTHING: Mapping[str, Any] = {}


def never(step: PlannedStep, direction: Direction) -> bool:
    return False


class Draft:
    def __init__(
        self,
        plan: Plan,
        state: SagaState | None,
        at: datetime,
        uniform: Callable[[float, float], float],
        at_once: AtOnce = never,
        metadata: Mapping[str, Any] = _NOTHING,
    ) -> None:
        self.plan = plan
        self.events: list[DomainEvent] = []
        self._state = state
        self._at = at
        self._uniform = uniform
        self._at_once = at_once
        self._metadata = metadata
        self._metadata_at_once = {**metadata, HANDLED_AT_ONCE: True}

    @property
    def state(self) -> SagaState:
        if self._state is None:
            raise LookupError("The saga has not started.")
        return self._state

    @property
    def at(self) -> datetime:
        return self._at

    def add(self, event_class: type[DomainEvent], *, is_at_once: bool = False, **data: Any) -> None:
        metadata = self._metadata_at_once if is_at_once else self._metadata
        event = event_class(occurred_on=self._at, metadata=metadata, **data)
        self._state = evolve(self._state, event)
        self.events.append(event)

    def leg(self, step: PlannedStep, direction: Direction) -> Leg:
        return self.state.leg(step.name, direction)

    def request(self, step: PlannedStep, direction: Direction) -> None:
        """The next attempt."""
        saga_id, planned = self.state.saga_id, step.leg(direction)
        attempt = self.leg(step, direction).attempt + 1
        undoing = direction is Direction.UNDO
        undoes = effect_key_for(saga_id, step.name, Direction.DO) if undoing else None
        effect = Effect(
            saga_id=saga_id,
            effect_key=effect_key_for(saga_id, step.name, direction),
            undoes=undoes,
        )
        command = planned.build(self.plan.load_state(self.state.data), effect)
        seconds = planned.timeout_seconds
        self.add(
            CompensationRequested if undoing else StepRequested,
            step=step.name,
            attempt=attempt,
            message_id=message_id_for(saga_id, step.name, direction, attempt),
            effect_key=effect.effect_key,
            command_type=command.command_type,
            command_data=command_types.codec(type(command)).encode(command),
            due_at=None if seconds is None else self._at + timedelta(seconds=seconds),
            is_at_once=self._at_once(step, direction),
            **({"undoes": undoes} if undoing else {}),
        )

    def next_attempt_at(self, step: PlannedStep, direction: Direction) -> datetime:
        failed_attempts = max(1, self.leg(step, direction).failed_attempts)
        delay = step.leg(direction).retry.delay_seconds(failed_attempts, uniform=self._uniform)
        return self._at + timedelta(seconds=delay)

    def is_exhausted(self, step: PlannedStep, direction: Direction) -> bool:
        return self.leg(step, direction).failed_attempts >= step.leg(direction).retry.attempts

    def call_operator(
        self, step: PlannedStep, direction: Direction, problem: str, advice: str
    ) -> None:
        """Once, until the item is closed."""
        if step.name not in self.state.items:
            self.add(
                InterventionRequested,
                step=step.name,
                direction=direction,
                problem=problem,
                advice=advice,
            )
