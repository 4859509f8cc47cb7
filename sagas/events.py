"""What is recorded of a saga, in its own stream. `evolution` says what each changes.

A step has two legs, doing and undoing it; the events named Compensation... are of the second.
Attempts are counted from 1; attempt 0 stands for an answer that came before the step was requested.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from events.messages import DomainEvent
from events.registry import event

from .identity import Direction


class Action(StrEnum):
    RETRY = "retry"
    SKIP = "skip"
    COMPENSATE = "compensate"
    ABORT = "abort"
    FORCE_ABORT = "force_abort"
    RELEASE = "release"


@event("SagaStarted")
class SagaStarted(DomainEvent):
    """The definition is pinned: this instance runs to its end with this version."""

    saga_type: str
    definition_version: int
    fingerprint: str
    key: str
    start_message_id: UUID
    #: The typed state, encoded.
    data: dict[str, Any]


# --- doing ---


@event("SagaStepRequested")
class StepRequested(DomainEvent):
    """The command is recorded here, and sent after the commit."""

    step: str
    attempt: int
    message_id: UUID
    effect_key: UUID
    command_type: str
    command_data: dict[str, Any]
    #: When the attempt times out. None: never.
    due_at: datetime | None


@event("SagaStepSucceeded")
class StepSucceeded(DomainEvent):
    step: str
    attempt: int
    #: Id of the event that was the answer; None where the handler's return was.
    answer_id: UUID | None
    #: Fields of the typed state that the answer told, encoded.
    learned: dict[str, Any]


@event("SagaStepRejected")
class StepRejected(DomainEvent):
    """The definite answer that this attempt has had no effect."""

    step: str
    attempt: int
    answer_id: UUID | None
    reason: str


@event("SagaStepFailed")
class StepFailed(DomainEvent):
    """The attempt ended by an error. Whether it has had an effect is not known."""

    step: str
    attempt: int
    reason: str


@event("SagaStepTimedOut")
class StepTimedOut(DomainEvent):
    """No answer came in time. Whether the attempt has had an effect is not known."""

    step: str
    attempt: int


@event("SagaStepRetryScheduled")
class StepRetryScheduled(DomainEvent):
    step: str
    #: The one that will be made.
    attempt: int
    due_at: datetime


@event("SagaStepSkipped")
class StepSkipped(DomainEvent):
    """An operator vouches for the effect."""

    step: str
    evidence: str
    learned: dict[str, Any]


@event("SagaAnswerSetAside")
class AnswerSetAside(DomainEvent):
    """An answer that doesn't settle its step: early, late, or a rejection of an older attempt."""

    step: str
    attempt: int
    answer_id: UUID | None
    succeeded: bool
    learned: dict[str, Any]


@event("SagaPivotPassed")
class PivotPassed(DomainEvent):
    """From here on the saga only goes forward."""

    step: str


# --- undoing ---


@event("SagaCompensationPlanned")
class CompensationPlanned(DomainEvent):
    """These steps are undone, in this order; parallel ones of a stage at the same time."""

    steps: list[str]
    reason: str


@event("SagaCompensationRequested")
class CompensationRequested(DomainEvent):
    """The command is recorded here, and sent after the commit."""

    step: str
    attempt: int
    message_id: UUID
    effect_key: UUID
    #: Effect key of what is undone.
    undoes: UUID
    command_type: str
    command_data: dict[str, Any]
    due_at: datetime | None


@event("SagaCompensationSucceeded")
class CompensationSucceeded(DomainEvent):
    step: str
    attempt: int
    answer_id: UUID | None


@event("SagaCompensationRetryScheduled")
class CompensationRetryScheduled(DomainEvent):
    step: str
    #: The one that will be made.
    attempt: int
    #: Of the failure before it.
    reason: str
    due_at: datetime


@event("SagaCompensationFailed")
class CompensationFailed(DomainEvent):
    """No further attempt is made unless an operator asks for it."""

    step: str
    attempt: int
    reason: str


@event("SagaCompensationSkipped")
class CompensationSkipped(DomainEvent):
    """An operator vouches that the effect is gone."""

    step: str
    evidence: str


@event("SagaCompensationAbandoned")
class CompensationAbandoned(DomainEvent):
    """An operator forced the end; the effect of the step stays."""

    step: str
    reason: str


# --- people, and the end ---


@event("SagaInterventionRequested")
class InterventionRequested(DomainEvent):
    """An open item for an operator, until the leg is settled or the operator acts on it."""

    step: str
    direction: Direction
    problem: str
    #: What the operator can do.
    advice: str


@event("SagaOperatorActed")
class OperatorActed(DomainEvent):
    action_id: UUID
    action: Action
    step: str | None
    operator: str
    reason: str


@event("SagaBlocked")
class SagaBlocked(DomainEvent):
    """What came for this saga could not be handled; what comes later waits."""

    input_id: UUID
    reason: str


@event("SagaCompleted")
class SagaCompleted(DomainEvent):
    pass


@event("SagaCompensated")
class SagaCompensated(DomainEvent):
    #: Steps whose effect came, or was reported, after they had been undone, and was undone again.
    late_effects: list[str]


@event("SagaFailed")
class SagaFailed(DomainEvent):
    """Ended by force, with effects that nothing undoes."""

    left_standing: list[str]


# --- choreographed processes: in the stream of what the watch has to say about one ---


@event("ProcessCompleted")
class ProcessCompleted(DomainEvent):
    """It has ended well."""


@event("ProcessCompensated")
class ProcessCompensated(DomainEvent):
    """All that was begun is undone. Comes again when a late effect had to be undone, too."""

    #: Where it failed.
    step: str


@event("ProcessStalled")
class ProcessStalled(DomainEvent):
    """Nobody has answered in time, and nothing is left to try: an operator is needed."""

    step: str
    direction: Direction
    #: One of these should have come.
    awaited: list[str]
    #: The type of the newest that did.
    last_event: str
    problem: str


@event("ProcessStepSettled")
class ProcessStepSettled(DomainEvent):
    """An operator has seen to the undoing of a step."""

    step: str
    operator: str
    evidence: str
