"""What operators do to a saga: recorded in its stream and in the operator log, with who and why.

Each says whether there was anything left to do: turning back twice is once. With
`expected_version`, that of the saga when the operator looked at it, StaleVersion is raised if
anything has happened since. All raise ActionNotPossible, InvalidInput and AggregateNotFound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from events.conf import events_settings
from events.delivery.operator_log import check_actor, check_reason, write_down
from events.exceptions import AggregateNotFound, InvalidInput
from events.identifiers import new_id
from events.streams import StreamName

from .clock import database_time
from .events import Action
from .exceptions import ActionNotPossible
from .inputs import Abort, Compensate, OperatorAction, Release, RetryStep, SkipStep
from .instance import Saga
from .models import WatchedProcess
from .running import give, repository
from .watch import settle_by_hand


def retry_step(
    saga_id: str, step: str, *, operator: str, reason: str, expected_version: int | None = None
) -> bool:
    """Another attempt now: at doing the step, or at undoing it where the saga has turned back."""
    return _act(
        saga_id, Action.RETRY, RetryStep, operator, reason, expected_version, {"step": step}
    )


def skip_step(
    saga_id: str,
    step: str,
    *,
    operator: str,
    evidence: str,
    learned: Mapping[str, Any],
    expected_version: int | None = None,
) -> bool:
    """The operator has seen to the step. `learned` is what its answer would have told.

    The one action that there is for choreographed processes, where the step is being undone.
    """
    if _is_watched(saga_id):
        return _settle(saga_id, step, operator, evidence, learned)
    facts = {"step": step, "learned": dict(learned)}
    return _act(saga_id, Action.SKIP, SkipStep, operator, evidence, expected_version, facts)


def compensate(
    saga_id: str, *, operator: str, reason: str, expected_version: int | None = None
) -> bool:
    """Turns back. Not possible after the pivot."""
    return _act(saga_id, Action.COMPENSATE, Compensate, operator, reason, expected_version, {})


def abort(
    saga_id: str,
    *,
    operator: str,
    reason: str,
    force: bool = False,
    expected_version: int | None = None,
) -> bool:
    """With `force` also after the pivot, and where undoing fails: the saga ends as failed."""
    action = Action.FORCE_ABORT if force else Action.ABORT
    return _act(saga_id, action, Abort, operator, reason, expected_version, {"force": force})


def release(
    saga_id: str, *, operator: str, reason: str, expected_version: int | None = None
) -> bool:
    """What blocked the saga is mended. Retry the dead letters that waited for this."""
    return _act(saga_id, Action.RELEASE, Release, operator, reason, expected_version, {})


def _act(
    saga_id: str,
    action: Action,
    kind: type[OperatorAction],
    operator: str,
    reason: str,
    expected_version: int | None,
    facts: dict[str, Any],
) -> bool:
    check_actor(operator)
    check_reason(reason)
    if _is_watched(saga_id):
        raise ActionNotPossible(
            f"{saga_id} is choreographed, nobody directs it: retry or discard its dead letters, or "
            "skip a step that you have undone.",
            saga_id=saga_id,
        )
    if repository.find(saga_id) is None:
        raise AggregateNotFound(StreamName(Saga.aggregate_type, saga_id))
    given = kind(action_id=new_id(), operator=operator, reason=reason, at=database_time(), **facts)
    with transaction.atomic(using=events_settings().database):
        events = give(saga_id, given, expected_version=expected_version)
        if events:
            recorded = [event.event_type for event in events]
            details = {"saga_id": saga_id, **facts, "recorded": recorded}
            write_down(
                f"saga_{action}",
                "",
                actor=operator,
                reason=reason,
                details=details,
                subject=saga_id,
            )
    return bool(events)


def _is_watched(saga_id: str) -> bool:
    rows = WatchedProcess.objects.using(events_settings().database)
    return rows.filter(pk=saga_id).exists()


def _settle(
    saga_id: str, step: str, operator: str, evidence: str, learned: Mapping[str, Any]
) -> bool:
    check_actor(operator)
    check_reason(evidence)
    if learned:
        raise InvalidInput("learned", f"{saga_id} is choreographed: its steps learn nothing")
    with transaction.atomic(using=events_settings().database):
        settle_by_hand(saga_id, step, operator=operator, evidence=evidence)
        details = {"saga_id": saga_id, "step": step}
        write_down(
            f"saga_{Action.SKIP}",
            "",
            actor=operator,
            reason=evidence,
            details=details,
            subject=saga_id,
        )
    return True
