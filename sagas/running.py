"""Gives a saga what has come for it, and records what it decides: events, timers, its row.

All of it is one commit, the caller's or its own. Commands are sent later, from the recorded events
(`sending`); called by `inbox`, `sending`, `timers` and `operations`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from events.conf import events_settings
from events.context import current_context
from events.exceptions import ConcurrencyError, StaleVersion
from events.messages import DomainEvent
from events.repository import Repository

from .clock import database_time
from .identity import Direction
from .inputs import Input
from .instance import Saga
from .models import SagaInstance, SagaTimer
from .outgoing import timer_of
from .state import SagaState

#: An answer, a timer and an operator can come at the same moment.
ATTEMPTS = 5

repository = Repository(Saga)


def give(
    saga_id: str, given: Input, *, expected_version: int | None = None
) -> Sequence[DomainEvent]:
    """What was recorded of it, which can be nothing. Raises what `Saga.handle` does; StaleVersion
    where the saga isn't at the version that the caller decided by; and ConcurrencyError when
    others were faster each time. Nothing has changed then."""
    remaining = ATTEMPTS
    while True:
        remaining -= 1
        try:
            with transaction.atomic(using=events_settings().database):
                return _give(saga_id, given, expected_version)
        except StaleVersion:
            raise
        except ConcurrencyError:
            if not remaining:
                raise


def _give(saga_id: str, given: Input, expected_version: int | None) -> Sequence[DomainEvent]:
    saga = repository.find(saga_id) or Saga(saga_id)
    if expected_version not in (None, saga.version):
        raise StaleVersion(saga.stream, str(expected_version), saga.version)
    events = saga.handle(given)
    if events:
        repository.save(saga)
        _set_timers(saga_id, events)
        if saga.state is not None:
            if saga.state.has_ended:
                _forget_timers(saga_id)
            _show(saga_id, saga.state)
    return events


def _set_timers(saga_id: str, events: Sequence[DomainEvent]) -> None:
    timers = [timer for event in events if (timer := timer_of(event)) is not None]
    if timers:
        SagaTimer.objects.using(events_settings().database).bulk_create(
            SagaTimer(
                saga_id=saga_id,
                step=timer.step,
                direction=timer.direction,
                attempt=timer.attempt,
                is_retry=timer.is_retry,
                due_at=timer.due_at,
            )
            for timer in timers
        )


def _forget_timers(saga_id: str) -> None:
    """They would do nothing any more, but be looked at before others that are due."""
    SagaTimer.objects.using(events_settings().database).filter(saga_id=saga_id).delete()


def _show(saga_id: str, state: SagaState) -> None:
    rows, now = SagaInstance.objects.using(events_settings().database), database_time()
    changing = {
        "status": state.status,
        "under_way": [
            step
            for direction in Direction
            for step, leg in state.legs(direction).items()
            if leg.is_under_way
        ],
        "open_items": {
            step: {"problem": item.problem, "advice": item.advice}
            for step, item in state.items.items()
        },
        "updated_at": now,
        "ended_at": now if state.has_ended else None,
    }
    if not rows.filter(pk=saga_id).update(**changing):
        rows.create(
            saga_id=saga_id,
            saga_type=state.saga_type,
            definition_version=state.definition_version,
            key=state.key,
            correlation_id=current_context().correlation_id or "",
            started_at=now,
            **changing,
        )
