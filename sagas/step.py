"""The parts of a declared saga. `definition` has an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from events.bus.retry import RetryPolicy
from events.messages import Command, DomainEvent

#: Stands for a field: the key is the id of the stream that the event is in.
STREAM_ID = "$stream_id"
#: Name of the step that is done by what started the saga.
START = "start"

RETRY_DOING = RetryPolicy(attempts=3, first_delay_seconds=1, max_delay_seconds=60)
#: About an hour, all in all.
RETRY_UNDOING = RetryPolicy(attempts=12, first_delay_seconds=2, max_delay_seconds=600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the recipient of a command recognises its effect by, however often it is asked."""

    saga_id: str
    #: Stable over all attempts.
    effect_key: UUID
    #: Of a compensation: the effect key of what it undoes, even if that has not arrived yet.
    undoes: UUID | None


#: A command class, whose fields are filled by name from the typed state and from `Effect`; or
#: `def charge(state: OrderData, effect: Effect) -> ProcessPayment`, with this annotation.
CommandSource: TypeAlias = type[Command] | Callable[[Any, Effect], Command]


class LateSuccess(StrEnum):
    """What to do when a step turns out to have succeeded after it was undone."""

    #: Undo it again, even if the saga has ended.
    COMPENSATE = "compensate"
    RECORD = "record"
    #: Leave it to an operator.
    INTERVENE = "intervene"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """Undoes a step. Sent with an effect key of its own, and with that of what it undoes, also
    where the outcome of the step isn't known: undoing what never happened must succeed, and what
    comes under the undone key after that must be refused."""

    command: CommandSource
    #: None: that the handler returns is the success.
    on_success: type[DomainEvent] | None = None
    #: Definite: an operator has to act at once.
    on_rejection: type[DomainEvent] | None = None
    timeout_seconds: float | None = None
    retry: RetryPolicy = RETRY_UNDOING
    reply_key: str | None = None
    #: True: earlier steps are not undone while this one isn't. Otherwise they are, once its
    #: attempts are used up.
    holds_back_earlier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    command: CommandSource
    #: None: that the handler returns is the success.
    on_success: type[DomainEvent] | None = None
    #: The business says no: no effect, and no further attempt. So does `CommandRefused`.
    on_rejection: type[DomainEvent] | None = None
    #: A command class stands for a `Compensation` with the time-out of the step.
    compensation: Compensation | type[Command] | None = None
    #: Of each attempt.
    timeout_seconds: float | None = None
    #: For attempts that failed or timed out, all under the same effect key.
    retry: RetryPolicy = RETRY_DOING
    #: Fields of the success event that the typed state takes over; a mapping gives the field of
    #: the state for each field of the event.
    learns: tuple[str, ...] | Mapping[str, str] = ()
    #: Field of the answers that holds the saga's key (or STREAM_ID), for answers that come from
    #: where the cause is lost. None: they are known by their cause alone.
    reply_key: str | None = None
    #: Once it has succeeded, the saga only goes forward.
    pivot: bool = False
    #: Retried until it succeeds, whatever the answer. Its `retry.attempts` are those before an
    #: operator is told.
    retriable: bool = False
    #: Leaves nothing to undo.
    effect_free: bool = False
    late_success: LateSuccess = LateSuccess.COMPENSATE


class Parallel:
    """Steps that are requested together; what follows waits for all of them.

    prepare = Parallel(reserve=Step(...), charge=Step(...))
    """

    def __init__(self, **steps: Step) -> None:
        self.steps: Mapping[str, Step] = steps
