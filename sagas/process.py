"""A choreographed process, as its reactions declare it, and where an instance of it stands.

Pure: who subscribes is `reacting`, who keeps the events that were seen is `watch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from events.bus.retry import RetryPolicy
from events.bus.subscription import Start
from events.exceptions import CommandRefused
from events.messages import Command, DomainEvent
from events.recorded_event import RecordedEvent

from .identity import Direction, saga_id_for
from .plan import read_key
from .state import Status
from .step import STREAM_ID

EventTypes: TypeAlias = frozenset[type[DomainEvent]]
React: TypeAlias = Callable[[RecordedEvent], Command | None]
OnRefusal: TypeAlias = Callable[[RecordedEvent, CommandRefused], Command | None]
#: The position of the first event of each type that was seen for an instance.
Seen: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Events, the command that each of them leads to, and the events that this one leads to."""

    name: str
    react: React
    commands: tuple[type[Command], ...]
    events: EventTypes
    emits: EventTypes
    #: What it undoes, if it does. Then it happens only as far as there is something to undo.
    undoes: EventTypes
    within_seconds: float | None
    otherwise: Callable[[str], Command] | None
    on_refusal: OnRefusal | None
    retry: RetryPolicy
    timeout_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLeg:
    """What is being done or undone: an event is awaited."""

    step: str
    direction: Direction
    reactions: tuple[Reaction, ...]

    @property
    def awaits(self) -> list[str]:
        return sorted({cls.event_type for each in self.reactions for cls in each.emits})

    @property
    def within_seconds(self) -> float | None:
        limits = [each.within_seconds for each in self.reactions]
        return max((each for each in limits if each is not None), default=None)

    def otherwise(self, key: str) -> Command | None:
        """What is sent when it has taken too long."""
        made = (each.otherwise(key) for each in self.reactions if each.otherwise is not None)
        return next(made, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    status: Status
    open_legs: tuple[OpenLeg, ...]
    #: The first step that did not succeed before the process turned back; empty otherwise.
    failed_step: str

    @property
    def has_ended(self) -> bool:
        return self.status in (Status.COMPLETED, Status.COMPENSATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    saga_type: str
    definition: type
    key: str
    starts_on: type[DomainEvent]
    completed_by: EventTypes
    turned_back_by: EventTypes
    failures: EventTypes
    ends: EventTypes
    inputs: EventTypes
    start: Start | int
    #: In the order of declaration.
    reactions: tuple[Reaction, ...]

    @property
    def events(self) -> EventTypes:
        """All that it knows."""
        named = {self.starts_on, *self.completed_by, *self.turned_back_by, *self.failures}
        return frozenset(named.union(*(each.events | each.emits for each in self.reactions)))

    @property
    def steps(self) -> Iterator[Reaction]:
        return (each for each in self.reactions if not each.undoes)

    def successes(self, step: Reaction) -> EventTypes:
        return step.emits - self.failures

    def undos(self, step: Reaction) -> tuple[Reaction, ...]:
        return tuple(each for each in self.reactions if each.undoes & step.emits)

    def key_of(self, recorded: RecordedEvent) -> str:
        """From the field of that name; events without it are in the stream that has it for id."""
        field = self.key if hasattr(recorded.event, self.key) else STREAM_ID
        return read_key(recorded.event, field, recorded.aggregate_id)

    def saga_id_of(self, recorded: RecordedEvent) -> str:
        return saga_id_for(self.saga_type, self.key_of(recorded))

    def step_of(self, reaction: Reaction) -> str:
        """That it does or undoes."""
        return next(
            (step.name for step in self.steps if step.emits & reaction.undoes), reaction.name
        )

    def standing(self, seen: Seen, settled: Iterable[str] = ()) -> Standing:
        """Follows from what was seen alone, in whatever order and however often. The steps named
        as `settled` need no undoing: an operator has seen to them."""
        is_back = _any_of(self.turned_back_by, seen)
        legs = self._to_undo(seen, frozenset(settled)) if is_back else self._to_do(seen)
        open_legs = tuple(legs)
        return Standing(
            status=self._status(seen, is_back=is_back, is_open=bool(open_legs)),
            open_legs=open_legs,
            failed_step=self._failed_step(seen) if is_back else "",
        )

    def _status(self, seen: Seen, *, is_back: bool, is_open: bool) -> Status:
        if is_back:
            return Status.COMPENSATING if is_open else Status.COMPENSATED
        if _any_of(self.failures, seen):
            return Status.COMPENSATING
        if _any_of(self.completed_by, seen) and not is_open:
            return Status.COMPLETED
        return Status.RUNNING

    def _to_do(self, seen: Seen) -> Iterator[OpenLeg]:
        for step in self.steps:
            if _any_of(step.events, seen) and not _any_of(step.emits, seen):
                yield OpenLeg(step=step.name, direction=Direction.DO, reactions=(step,))

    def _to_undo(self, seen: Seen, settled: frozenset[str]) -> Iterator[OpenLeg]:
        """Whatever was begun, with or without an answer, but for what has definitely failed."""
        for step in self.steps:
            undos = self.undos(step)
            if not undos or step.name in settled or not _any_of(step.events, seen):
                continue
            has_failed = _any_of(step.emits & self.failures, seen)
            is_without_effect = has_failed and not _any_of(self.successes(step), seen)
            if not is_without_effect and not any(_any_of(each.emits, seen) for each in undos):
                yield OpenLeg(step=step.name, direction=Direction.UNDO, reactions=undos)

    def _failed_step(self, seen: Seen) -> str:
        turned_back_at = min(_positions(self.turned_back_by, seen))
        for step in self.steps:
            begun = min(_positions(step.events, seen), default=None)
            done = min(_positions(self.successes(step), seen), default=None)
            if begun is not None and (done is None or done > turned_back_at):
                return step.name
        return ""


def _positions(classes: EventTypes, seen: Seen) -> list[int]:
    return [seen[cls.event_type] for cls in classes if cls.event_type in seen]


def _any_of(classes: EventTypes, seen: Seen) -> bool:
    return any(cls.event_type in seen for cls in classes)
