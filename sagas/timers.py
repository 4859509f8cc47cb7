"""Fires the timers that are due, by the time of the database. A chore of every worker."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic

from django.db import connections, transaction
from django.db.models import QuerySet

from events.conf import events_settings
from events.context import message_context

from .clock import database_time
from .exceptions import TimerNotDue
from .identity import Direction
from .models import SagaInstance, SagaTimer
from .outgoing import Timer
from .running import give

logger = logging.getLogger(__name__)

#: Then events have their turn.
_SECONDS = 0.4
#: For what could not be fired, such as one of a saga that is blocked.
_LATER = timedelta(seconds=30)


def fire_due_timers() -> bool:
    """Whether there was one. Several workers share them."""
    return fire_timers(database_time())


def fire_timers(at: datetime) -> bool:
    """Those that are due at this moment. Tests say which one that is."""
    using = events_settings().database
    due = SagaTimer.objects.using(using).filter(due_at__lte=at).order_by("due_at", "pk")
    if not due.exists():
        return False
    fired, end = False, monotonic() + _SECONDS
    while monotonic() < end and _fire_first(due, at):
        fired = True
    return fired


def _fire_first(due: QuerySet[SagaTimer], at: datetime) -> bool:
    """A transaction each: it holds up readers of the log, and others who write to its saga."""
    skip_locked = connections[due.db].features.has_select_for_update_skip_locked
    with transaction.atomic(using=due.db):
        row = due.select_for_update(skip_locked=skip_locked).first()
        if row is None:
            return False
        _fire(row, at)
    return True


def _fire(row: SagaTimer, at: datetime) -> None:
    timer = Timer(
        step=row.step,
        direction=Direction(row.direction),
        attempt=row.attempt,
        due_at=row.due_at,
        is_retry=row.is_retry,
    )
    using = events_settings().database
    try:
        with transaction.atomic(using=using), message_context(correlation_id=_correlation(row)):
            give(row.saga_id, timer.fired(at))
            row.delete(using=using)
    except Exception as error:
        # It must not be lost, and must not keep others from being fired.
        if not isinstance(error, TimerNotDue):
            logger.exception("A timer of %s could not be fired; trying again later", row.saga_id)
        SagaTimer.objects.using(using).filter(pk=row.pk).update(due_at=at + _LATER)


def _correlation(row: SagaTimer) -> str | None:
    instances = SagaInstance.objects.using(events_settings().database)
    found = instances.filter(pk=row.saga_id).values_list("correlation_id", flat=True).first()
    return found or None
