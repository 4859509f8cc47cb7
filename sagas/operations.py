"""What operators do to a saga: recorded in its stream, with who and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.exceptions import AggregateNotFound
from events.identifiers import new_id
from events.streams import StreamName

from .clock import database_time
from .inputs import Abort, Compensate, OperatorAction, Release, RetryStep, SkipStep
from .instance import Saga
from .running import give, repository


def retry_step(saga_id: str, step: str, *, operator: str, reason: str) -> None:
    """Another attempt now: at doing the step, or at undoing it where the saga has turned back.

    As the others here: raises ActionNotPossible, or AggregateNotFound.
    """
    _act(saga_id, RetryStep, operator, reason, step=step)


def skip_step(
    saga_id: str, step: str, *, operator: str, evidence: str, learned: Mapping[str, Any]
) -> None:
    """The operator has seen to the step. `learned` is what its answer would have told."""
    _act(saga_id, SkipStep, operator, evidence, step=step, learned=learned)


def compensate(saga_id: str, *, operator: str, reason: str) -> None:
    """Turns back. Not possible after the pivot."""
    _act(saga_id, Compensate, operator, reason)


def abort(saga_id: str, *, operator: str, reason: str, force: bool = False) -> None:
    """With `force` also after the pivot, and where undoing fails: the saga ends as failed."""
    _act(saga_id, Abort, operator, reason, force=force)


def release(saga_id: str, *, operator: str, reason: str) -> None:
    """What blocked the saga is mended. Retry the dead letters that waited for this."""
    _act(saga_id, Release, operator, reason)


def _act(
    saga_id: str, action: type[OperatorAction], operator: str, reason: str, **facts: Any
) -> None:
    if repository.find(saga_id) is None:
        raise AggregateNotFound(StreamName(Saga.aggregate_type, saga_id))
    give(
        saga_id,
        action(action_id=new_id(), operator=operator, reason=reason, at=database_time(), **facts),
    )
