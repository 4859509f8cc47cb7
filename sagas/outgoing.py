"""The way out: the commands and the timers that recorded events stand for.

Nothing else has to be kept in step: a crash after the commit loses neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeGuard

from events.messages import Command, DomainEvent
from events.registry import command_types

from .events import (
    CompensationRequested,
    CompensationRetryScheduled,
    StepRequested,
    StepRetryScheduled,
)
from .identity import Direction
from .inputs import RetryDue, TimedOut
from .state import Progress, SagaState

Requested: TypeAlias = StepRequested | CompensationRequested

#: In the metadata of a request: its command was handled in the same commit.
HANDLED_AT_ONCE = "handled_at_once"

#: Subscribe to these to send commands, and to these and the next to keep timers.
REQUESTS = (StepRequested, CompensationRequested)
RETRIES = (StepRetryScheduled, CompensationRetryScheduled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Due by the time of the database. That it is outdated by then is for `decide` to see."""

    step: str
    direction: Direction
    attempt: int
    due_at: datetime
    is_retry: bool

    def fired(self, at: datetime) -> TimedOut | RetryDue:
        kind = RetryDue if self.is_retry else TimedOut
        return kind(step=self.step, direction=self.direction, attempt=self.attempt, at=at)


def direction_of(event: DomainEvent) -> Direction:
    undoing = isinstance(event, CompensationRequested | CompensationRetryScheduled)
    return Direction.UNDO if undoing else Direction.DO


def recorded_command(event: Requested) -> Command:
    """To be dispatched with `command_id=event.message_id`. Raises UnknownCommandType or
    DecodingError."""
    command_class = command_types.get(event.command_type)
    return command_class(**command_types.codec(command_class).decode(event.command_data))


def was_handled_at_once(metadata: Mapping[str, Any]) -> bool:
    return bool(metadata.get(HANDLED_AT_ONCE))


def asks_at_once(event: DomainEvent) -> TypeGuard[Requested]:
    return isinstance(event, REQUESTS) and was_handled_at_once(event.metadata)


def timer_of(event: DomainEvent) -> Timer | None:
    """The timer that this event sets. None is ever cancelled: outdated ones do nothing."""
    if not isinstance(event, REQUESTS + RETRIES) or event.due_at is None:
        return None
    if was_handled_at_once(event.metadata):
        return None
    return Timer(
        step=event.step,
        direction=direction_of(event),
        attempt=event.attempt,
        due_at=event.due_at,
        is_retry=isinstance(event, RETRIES),
    )


def pending_timers(state: SagaState) -> list[Timer]:
    """All that are not outdated, from the state alone."""
    return [
        Timer(
            step=step,
            direction=direction,
            attempt=leg.attempt + (leg.progress is Progress.WAITING),
            due_at=leg.due_at,
            is_retry=leg.progress is Progress.WAITING,
        )
        for direction in Direction
        for step, leg in state.legs(direction).items()
        if leg.is_under_way and leg.due_at is not None
    ]
