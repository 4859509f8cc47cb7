"""What can come for a saga. `at` is the time of the database, read in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from events.messages import Command, DomainEvent

from .identity import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """`message_id` is the event id, or the command id. `key` comes from `Plan.start_key`."""

    message: DomainEvent | Command
    message_id: UUID
    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An event that a step waits for. `causation_id` is that of its metadata."""

    event: DomainEvent
    causation_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfAttempt:
    """As the requesting event has them."""

    step: str
    direction: Direction
    attempt: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled(_OfAttempt):
    """The handler of the command returned: the success, for legs without an event for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(_OfAttempt):
    """The handler of the command raised `CommandRefused`: nothing has changed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(_OfAttempt):
    """Sending or handling the command ended by any other error."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut(_OfAttempt):
    """The due time of a requested attempt has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDue(_OfAttempt):
    """The due time of a scheduled attempt has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Handling the message with this id raised an error that is no answer."""

    input_id: UUID
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByOperator:
    """The same `action_id` twice acts once. `reason` is kept for ever; it must say something."""

    action_id: UUID
    operator: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryStep(_ByOperator):
    """Makes another attempt now: at doing the step, or at undoing it where the saga turned back."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipStep(_ByOperator):
    """The operator has seen to it; `reason` is the evidence. `learned` stands in for what the
    step learns from its answer, encoded, by field of the typed state."""

    step: str
    learned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensate(_ByOperator):
    """Turns back. Not possible after the pivot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(_ByOperator):
    """As `Compensate`. With `force` also after the pivot, and with undos that fail: they are given
    up, and the saga ends as FAILED, naming the effects that stay."""

    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(_ByOperator):
    """What blocked the saga is mended; what waited may come."""


OfAttempt: TypeAlias = Handled | Refused | Failed | TimedOut | RetryDue
OperatorAction: TypeAlias = RetryStep | SkipStep | Compensate | Abort | Release
Input: TypeAlias = Started | Answered | OfAttempt | Blocked | OperatorAction
