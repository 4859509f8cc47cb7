"""Gives sagas what has come for them, and records what they decide: events, timers, their rows.

All of it is one commit, the caller's or its own. Commands are sent later, from the recorded events
(`sending`); but those whose effects are in the database, and whose return is the answer, are
handled at once where a worker asks for that: request, effects and answer are one commit then.
Called by `inbox`, `sending`, `timers` and `operations`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Protocol

from django.db import transaction

from events.conf import events_settings
from events.context import current_context
from events.delivery.context import current_delivery
from events.exceptions import ConcurrencyError, StaleVersion
from events.messages import DomainEvent
from events.repository import Repository, save_all

from .asking import RaisedAtOnce, can_be_handled_at_once, handle_at_once
from .clock import database_time
from .decisions.draft import AtOnce
from .identity import Direction
from .inputs import Input, Started
from .instance import Saga
from .models import SagaInstance, SagaTimer
from .outgoing import Requested, asks_at_once, direction_of, timer_of
from .plan import PlannedStep
from .state import SagaState

#: An answer, a timer and an operator can come at the same moment.
ATTEMPTS = 5

#: A transaction that goes on for longer keeps others waiting.
AT_ONCE_SECONDS = 1.0

repository = Repository(Saga)


class Give(Protocol):
    def __call__(self, saga_id: str, given: Input, *, goes_on_at_once: bool) -> object: ...


class Sagas:
    """Those that are given something in one transaction, each loaded once, and saved together."""

    def __init__(self) -> None:
        self._sagas: dict[str, Saga] = {}

    def get(self, saga_id: str) -> Saga:
        """Without a state, if it has not started."""
        saga = self._sagas.get(saga_id)
        if saga is None:
            saga = self._sagas[saga_id] = repository.find(saga_id) or Saga(saga_id)
        return saga

    def give(self, saga_id: str, given: Input, *, goes_on_at_once: bool = False) -> None:
        """Raises what `Saga.handle` does. Then, and when `save` raises, the transaction must be
        rolled back, and no saga of this be used again.

        `goes_on_at_once`: commands that can be handled in this transaction are, one after the
        other, for a second at most; the others are left to `sending`.
        """
        if saga_id not in self._sagas and isinstance(given, Started):
            # Nothing is there to be loaded. If it is a repetition, it can't be saved.
            self._sagas[saga_id] = Saga(saga_id)
        saga = self.get(saga_id)
        if not goes_on_at_once:
            saga.handle(given, metadata=current_context().metadata())
            return
        left_to_sending: set[tuple[str, Direction]] = set()
        refused: set[tuple[str, Direction]] = set()
        at_once = _at_once_except(left_to_sending)
        while True:
            attempt = saga.copy()
            try:
                _go_on(attempt, given, at_once, refused)
            except RaisedAtOnce as raised:
                (refused if raised.is_refusal else left_to_sending).add(raised.leg)
            else:
                self._sagas[saga_id] = attempt
                return

    def save(self) -> list[DomainEvent]:
        """What was recorded of all. Raises ConcurrencyError when others were faster."""
        # In one order for all, because each locks its row.
        changed = sorted(
            (saga for saga in self._sagas.values() if saga.uncommitted_events),
            key=lambda saga: saga.id,
        )
        events = [event for saga in changed for event in saga.uncommitted_events]
        if changed:
            now = database_time()
            rows = [_row(saga, saga.state, now) for saga in changed if saga.state is not None]
            timers = [row for saga in changed for row in _timer_rows(saga)]
            save_all(changed, store=repository.store)
            _show(rows)
            _set_timers(timers, ended=[row.saga_id for row in rows if row.ended_at is not None])
        return events


def give(
    saga_id: str,
    given: Input,
    *,
    goes_on_at_once: bool = False,
    expected_version: int | None = None,
) -> Sequence[DomainEvent]:
    """As `Sagas.give`, and saves it; when others were faster, decides again, until ConcurrencyError
    is raised. Returns what was recorded of it, which can be nothing. Raises StaleVersion where the
    saga isn't at the version that the caller decided by. If anything is raised, nothing has
    changed."""
    for remaining in reversed(range(ATTEMPTS)):
        sagas = Sagas()
        try:
            with transaction.atomic(using=events_settings().database):
                if expected_version is not None:
                    _check_version(sagas.get(saga_id), expected_version)
                elif remaining < ATTEMPTS - 1:
                    sagas.get(saga_id)
                sagas.give(saga_id, given, goes_on_at_once=goes_on_at_once)
                return sagas.save()
        except StaleVersion:
            raise
        except ConcurrencyError:
            if not remaining:
                raise
    raise AssertionError("unreachable")


def _check_version(saga: Saga, expected: int) -> None:
    if saga.version != expected:
        raise StaleVersion(saga.stream, str(expected), saga.version)


def is_first_attempt() -> bool:
    """Of the event that is handled now. What has failed once goes on in small steps, so that it is
    seen which of them fails."""
    return current_delivery().attempt == 1


def _at_once_except(left_to_sending: Collection[tuple[str, Direction]]) -> AtOnce:
    until = monotonic() + AT_ONCE_SECONDS

    def at_once(step: PlannedStep, direction: Direction) -> bool:
        return (
            monotonic() < until
            and (step.name, direction) not in left_to_sending
            and can_be_handled_at_once(step.leg(direction))
        )

    return at_once


def _go_on(
    saga: Saga, given: Input, at_once: AtOnce, refused: Collection[tuple[str, Direction]]
) -> None:
    """When RaisedAtOnce is raised, the saga has to be forgotten; its effects are rolled back."""
    decide = partial(saga.handle, at_once=at_once, metadata=current_context().metadata())
    events = decide(given)
    if any(map(asks_at_once, events)):
        with transaction.atomic(using=events_settings().database):
            for event in events:  # they become more
                if asks_at_once(event) and _wants(saga, event):
                    may_be_refused = (event.step, direction_of(event)) in refused
                    events += decide(handle_at_once(saga.id, event, may_be_refused=may_be_refused))


def _wants(saga: Saga, event: Requested) -> bool:
    """Of parallel steps, an earlier one may have turned the saga back."""
    state = saga.state
    return state is not None and state.wants(event.step, direction_of(event), event.attempt)


def _set_timers(timers: Sequence[SagaTimer], ended: Sequence[str]) -> None:
    """Those of an ended saga would do nothing any more, but be looked at before others."""
    rows = SagaTimer.objects.using(events_settings().database)
    rows.bulk_create(timer for timer in timers if timer.saga_id not in ended)
    if ended:
        rows.filter(saga_id__in=ended).delete()


def _timer_rows(saga: Saga) -> list[SagaTimer]:
    timers = [timer for event in saga.uncommitted_events if (timer := timer_of(event)) is not None]
    return [
        SagaTimer(
            saga_id=saga.id,
            step=timer.step,
            direction=timer.direction,
            attempt=timer.attempt,
            is_retry=timer.is_retry,
            due_at=timer.due_at,
        )
        for timer in timers
    ]


def _show(rows: Sequence[SagaInstance]) -> None:
    SagaInstance.objects.using(events_settings().database).bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["saga_id"],
        # What is only known at the start stays.
        update_fields=["status", "under_way", "open_items", "updated_at", "ended_at"],
    )


def _row(saga: Saga, state: SagaState, now: datetime) -> SagaInstance:
    return SagaInstance(
        saga_id=state.saga_id,
        saga_type=state.saga_type,
        definition_version=state.definition_version,
        key=state.key,
        status=state.status,
        under_way=[
            step
            for direction in Direction
            for step, leg in state.legs(direction).items()
            if leg.is_under_way
        ],
        open_items={
            step: {"problem": item.problem, "advice": item.advice}
            for step, item in state.items.items()
        },
        correlation_id=saga.uncommitted_events[0].metadata.get("correlation_id", ""),
        started_at=now,
        updated_at=now,
        ended_at=now if state.has_ended else None,
    )
