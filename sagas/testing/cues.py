"""What can come for a saga in a test. `_of_attempt` and the like fill in what the saga knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from events.identifiers import new_id
from events.messages import Command, DomainEvent

from ..identity import Direction, message_id_for
from ..inputs import (
    Abort,
    Answered,
    Blocked,
    Compensate,
    Failed,
    Handled,
    Input,
    OfAttempt,
    Refused,
    Release,
    RetryDue,
    RetryStep,
    SkipStep,
    Started,
    TimedOut,
)
from .scene import Cue, Scene


def started(message: DomainEvent | Command, *, stream_id: str | None = None) -> Cue:
    """`stream_id` is that of the stream which the event is in, where the key is that."""
    message_id = message.event_id if isinstance(message, DomainEvent) else new_id()

    def cue(scene: Scene) -> Input:
        key = scene.plan.start_key(message, stream_id)
        return Started(message=message, message_id=message_id, key=key, at=scene.now)

    return cue


def answered(event: DomainEvent, *, attempt: int | None = None, caused: bool = True) -> Cue:
    """An event caused by the command of the step's last attempt, or of `attempt`. Not `caused`: as
    it comes from where the cause is lost."""

    def cue(scene: Scene) -> Input:
        causation_id = str(_cause(scene, event, attempt)) if caused else None
        return Answered(event=event, causation_id=causation_id, at=scene.now)

    return cue


def _cause(scene: Scene, event: DomainEvent, attempt: int | None) -> UUID:
    routes = scene.plan.routes.get(type(event), ())
    if not routes:
        raise AssertionError(f"{event.event_type} is no answer for {scene.saga.id}")
    state = scene.saga.state
    assert state is not None
    under_way = [each for each in routes if state.leg(each.step.name, each.direction).is_under_way]
    route = (under_way or routes)[0]
    leg = state.leg(route.step.name, route.direction)
    return message_id_for(
        scene.saga.id, route.step.name, route.direction, attempt or max(1, leg.attempt)
    )


def _of_attempt(
    kind: Callable[..., OfAttempt], step: str, *, next_attempt: bool = False, **facts: Any
) -> Cue:
    """Of the leg in the saga's present direction."""

    def cue(scene: Scene) -> Input:
        state = scene.saga.state
        assert state is not None
        direction = Direction.UNDO if state.is_backward else Direction.DO
        attempt = state.leg(step, direction).attempt + next_attempt
        return kind(step=step, direction=direction, attempt=attempt, at=scene.now, **facts)

    return cue


def handled(step: str) -> Cue:
    """The handler of the command returned."""
    return _of_attempt(Handled, step)


def refused(step: str, reason: str = "refused") -> Cue:
    return _of_attempt(Refused, step, reason=reason)


def failed(step: str, reason: str = "failed") -> Cue:
    return _of_attempt(Failed, step, reason=reason)


def timed_out(step: str) -> Cue:
    """Moves the clock to where the attempt is due."""
    return _at_due_time(_of_attempt(TimedOut, step), step)


def retry_due(step: str) -> Cue:
    """Moves the clock to where the next attempt is due."""
    return _at_due_time(_of_attempt(RetryDue, step, next_attempt=True), step)


def _at_due_time(cue: Cue, step: str) -> Cue:
    def later(scene: Scene) -> Input:
        state = scene.saga.state
        assert state is not None
        due_at = state.leg(step, Direction.UNDO if state.is_backward else Direction.DO).due_at
        scene.now = max(scene.now, due_at or scene.now)
        return cue(scene)

    return later


def after(seconds: float, cue: Cue) -> Cue:
    """Moves the clock first."""

    def later(scene: Scene) -> Input:
        scene.now += timedelta(seconds=seconds)
        return cue(scene)

    return later


def blocked(reason: str = "an error") -> Cue:
    return lambda scene: Blocked(input_id=new_id(), reason=reason, at=scene.now)


def _by_operator(kind: Callable[..., Input], **facts: Any) -> Cue:
    action_id = new_id()
    return lambda scene: kind(action_id=action_id, operator="ann", at=scene.now, **facts)


def retried(step: str, reason: str = "mended") -> Cue:
    return _by_operator(RetryStep, step=step, reason=reason)


def skipped(step: str, evidence: str = "seen", learned: Mapping[str, Any] | None = None) -> Cue:
    return _by_operator(SkipStep, step=step, reason=evidence, learned=learned or {})


def compensated(reason: str = "no longer wanted") -> Cue:
    return _by_operator(Compensate, reason=reason)


def aborted(reason: str = "no longer wanted", *, force: bool = False) -> Cue:
    return _by_operator(Abort, reason=reason, force=force)


def released(reason: str = "mended") -> Cue:
    return _by_operator(Release, reason=reason)
