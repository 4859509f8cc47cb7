"""What happens next: `decide(plan, state, given)` returns the events to record, and does nothing.

The same input again, after its events are applied, gives no events. What can't be decided now
raises, and changes nothing: SagaNotStarted, SagaAlreadyStarted, SagaIsBlocked, TimerNotDue,
AmbiguousAnswer, ActionNotPossible.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from events.messages import DomainEvent

from ..events import SagaBlocked, SagaStarted
from ..exceptions import SagaAlreadyStarted, SagaIsBlocked, SagaNotStarted
from ..inputs import (
    Abort,
    Answered,
    Blocked,
    Compensate,
    Failed,
    Handled,
    Input,
    Refused,
    Release,
    RetryDue,
    RetryStep,
    SkipStep,
    Started,
    TimedOut,
)
from ..plan import Plan
from ..state import SagaState
from . import answers, forward, operators, timers
from .draft import Draft

Uniform = Callable[[float, float], float]


def decide(
    plan: Plan,
    state: SagaState | None,
    given: Input,
    *,
    uniform: Uniform = random.uniform,
    **options: Any,
) -> list[DomainEvent]:
    """`uniform` is the chance in the delays of retries; `options` are those of a `Draft`:
    `at_once` tells of which requests the caller gives the answer before anything is committed,
    `metadata` is that of the events."""
    return drafted(plan, state, given, uniform=uniform, **options).events


def drafted(
    plan: Plan,
    state: SagaState | None,
    given: Input,
    *,
    uniform: Uniform = random.uniform,
    **options: Any,
) -> Draft:
    """As `decide`, with the state after it."""
    if isinstance(given, Started):
        return _start(plan, state, given, partial(Draft, uniform=uniform, **options))
    if state is None:
        raise SagaNotStarted(type(given).__name__)
    draft = Draft(plan, state, given.at, uniform, **options)
    if isinstance(given, Blocked):
        if state.blocked_by is None:
            draft.add(SagaBlocked, input_id=given.input_id, reason=given.reason)
    elif state.blocked_by is not None and not isinstance(given, Release):
        raise SagaIsBlocked(state.saga_id, state.blocked_by)
    else:
        _respond(draft, given)
    return draft


def _start(
    plan: Plan, state: SagaState | None, given: Started, make_draft: Callable[..., Draft]
) -> Draft:
    draft = make_draft(plan, state, given.at)
    if state is not None:
        if state.start_message_id == given.message_id:
            return draft
        raise SagaAlreadyStarted(state.saga_id, str(state.start_message_id))
    draft.add(
        SagaStarted,
        saga_type=plan.saga_type,
        definition_version=plan.version,
        fingerprint=plan.fingerprint,
        key=given.key,
        start_message_id=given.message_id,
        data=plan.state_codec.encode(plan.begin(given.message, given.key)),
    )
    forward.advance(draft)
    return draft


def _respond(draft: Draft, given: Input) -> None:
    match given:
        case Answered():
            answers.answered(draft, given)
        case Handled():
            answers.handled(draft, given)
        case Refused():
            answers.refused(draft, given)
        case Failed():
            timers.failed(draft, given)
        case TimedOut():
            timers.timed_out(draft, given)
        case RetryDue():
            timers.retry_due(draft, given)
        case RetryStep() | SkipStep() | Compensate() | Abort() | Release():
            operators.act(draft, given)
