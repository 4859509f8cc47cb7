"""Watches choreographed processes: one durable subscription for each, that changes nothing in them.

What it sees becomes the same rows that orchestrated sagas have; deadlines are in `deadlines`.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from events.bus.subscription import Subscription, subscribe
from events.conf import events_settings
from events.context import message_context
from events.delivery.operator_log import check_actor, check_reason
from events.exceptions import AggregateNotFound
from events.models import FailedEvent
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName

from .choreography import choreographies
from .identity import Direction, saga_type_of
from .models import WatchedProcess
from .process import Process
from .reacting import Reactor
from .watched import STREAM_TYPE, Watched


class Watch:
    """The handler for one kind of process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def __call__(self, recorded: RecordedEvent) -> None:
        Watched.locked(self._process, self._process.saga_id_of(recorded)).see([recorded])


def subscription_name(process: Process) -> str:
    return f"sagas.{process.saga_type}.watch"


def subscribe_watch(process: Process) -> None:
    subscribe(
        tuple(sorted(cls.event_type for cls in process.events)),
        Watch(process),
        name=subscription_name(process),
        priority=4,
        start=process.start,
    )


def watch_choreographies() -> None:
    """Those there are, and those that come."""
    for process in choreographies:
        subscribe_watch(process)
    choreographies.observers.append(subscribe_watch)


def note_dead_letter(
    failed_event: FailedEvent, subscription: Subscription, error: BaseException, **kwargs: Any
) -> None:
    """Receives `event_dead_lettered`. What is missed here, the deadline of the step tells."""
    reactor = subscription.handler
    if not isinstance(reactor, Reactor):
        return
    process, reaction = reactor.process, reactor.reaction
    recorded = event_store().get_event(failed_event.event_id)
    with (
        transaction.atomic(using=events_settings().database),
        message_context(correlation_id=recorded.metadata.get("correlation_id")),
    ):
        watched = Watched.locked(process, process.saga_id_of(recorded))
        watched.see([recorded])
        watched.report(
            process.step_of(reaction),
            Direction.UNDO if reaction.undoes else Direction.DO,
            problem=f"{type(error).__name__}: {error}",
            advice=f"Retry or discard the dead letter of {subscription}.",
        )


def settle_by_hand(saga_id: str, step: str, *, operator: str, evidence: str) -> None:
    """The operator has undone the step: the process needn't. What waits in the dead letters for
    it is to be discarded. `operations.skip_step` writes it down in the operator log, too.

    Raises ActionNotPossible where the step isn't being undone, InvalidInput or AggregateNotFound.
    """
    check_actor(operator)
    check_reason(evidence)
    process = choreographies.find(saga_type_of(saga_id))
    using = events_settings().database
    is_known = WatchedProcess.objects.using(using).filter(pk=saga_id).exists()
    if process is None or not is_known:
        raise AggregateNotFound(StreamName(STREAM_TYPE, saga_id))
    with transaction.atomic(using=using):
        Watched.locked(process, saga_id).settle(step, operator, evidence)
