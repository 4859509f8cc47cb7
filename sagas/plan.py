"""A definition, compiled: immutable, and all that `decisions` needs to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from events.bus.retry import RetryPolicy
from events.codec import Codec, JsonObject
from events.exceptions import InvalidInput
from events.messages import Command, DomainEvent

from .identity import Direction
from .step import STREAM_ID, Effect, LateSuccess

Build: TypeAlias = Callable[[Any, Effect], Command]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLeg:
    command_class: type[Command]
    build: Build
    on_success: type[DomainEvent] | None
    on_rejection: type[DomainEvent] | None
    timeout_seconds: float | None
    retry: RetryPolicy
    reply_key: str | None
    holds_back_earlier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    name: str
    #: Place of its stage, from 0. The start, which can be undone too, is before that: -1.
    stage: int
    #: None: the start, which is done by what started the saga.
    do: PlannedLeg | None
    undo: PlannedLeg | None
    #: Field of the typed state by field of the success event.
    learns: Mapping[str, str]
    pivot: bool
    retriable: bool
    effect_free: bool
    late_success: LateSuccess

    def leg(self, direction: Direction) -> PlannedLeg:
        leg = self.do if direction is Direction.DO else self.undo
        if leg is None:
            raise LookupError(f"There is no command to {direction} {self.name}.")
        return leg

    @property
    def legs(self) -> dict[Direction, PlannedLeg]:
        both = {Direction.DO: self.do, Direction.UNDO: self.undo}
        return {direction: leg for direction, leg in both.items() if leg is not None}


@dataclass(frozen=True, slots=True)
class Route:
    """What an event answers."""

    step: PlannedStep
    direction: Direction
    succeeded: bool

    @property
    def reply_key(self) -> str | None:
        return self.step.leg(self.direction).reply_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    saga_type: str
    version: int
    #: Of what an instance relies on: changes when steps, their order, or their messages do.
    fingerprint: str
    definition: type
    starts_on: type[DomainEvent] | type[Command]
    key: str
    begin: Callable[[Any, str], Any]
    state_class: type
    state_codec: Codec
    #: In order; the steps of one stage are requested together.
    stages: tuple[tuple[PlannedStep, ...], ...]
    #: The last one first, and after all of them the start.
    undo_stages: tuple[tuple[PlannedStep, ...], ...]
    steps: Mapping[str, PlannedStep]
    routes: Mapping[type[DomainEvent], tuple[Route, ...]]

    def start_key(self, message: DomainEvent | Command, stream_id: str | None = None) -> str:
        """The key of the instance that this message starts. Events that have no such field are
        in the stream that has it for its id."""
        return read_key(message, self.key if hasattr(message, self.key) else STREAM_ID, stream_id)

    def load_state(self, data: JsonObject) -> Any:
        return self.state_class(**self.state_codec.decode(data))


def read_key(message: object, field: str, stream_id: str | None) -> str:
    """Raises InvalidInput where there is no key: an empty one would be that of many."""
    value = stream_id if field == STREAM_ID else getattr(message, field)
    if not isinstance(value, str | UUID) or not str(value):
        raise InvalidInput(field, f"{type(message).__name__} has no key here, but {value!r}")
    return str(value)
