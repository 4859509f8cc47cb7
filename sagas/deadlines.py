"""Acts when a step of a choreographed process takes too long. A chore of every worker.

First the declared command is sent, to turn the process back. Where there is none, where it is
refused, or where it has had no effect after the same time again, operators are told.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from events.command_bus import command_bus
from events.conf import events_settings
from events.context import message_context
from events.exceptions import CommandRefused
from events.store.configured import event_store

from .choreography import choreographies
from .clock import database_time
from .identity import Direction, deadline_id_for, saga_type_of
from .models import ProcessDeadline, SagaInstance
from .process import OpenLeg
from .watched import Watched

logger = logging.getLogger(__name__)

_BATCH_SIZE = 50
#: For what could not be done, such as with a database that is overloaded.
_LATER = timedelta(seconds=30)


def fire_due_deadlines() -> bool:
    """Whether there was one. Several workers share them."""
    return fire_deadlines(database_time())


def fire_deadlines(at: datetime) -> bool:
    """Those that are due at this moment. Tests say which one that is."""
    rows = ProcessDeadline.objects.using(events_settings().database)
    due = list(rows.filter(due_at__lte=at).order_by("due_at", "pk")[:_BATCH_SIZE])
    for row in due:
        _fire_robustly(row, at)
    return bool(due)


def _fire_robustly(row: ProcessDeadline, at: datetime) -> None:
    using = events_settings().database
    try:
        correlation_id = _correlation_id(row.saga_id)
        with transaction.atomic(using=using), message_context(correlation_id=correlation_id):
            _fire(row, at)
    except Exception as error:
        # It must not be lost, and must not keep others from being fired.
        logger.exception("A deadline of %s could not be acted on; trying again later", row.saga_id)
        rows = ProcessDeadline.objects.using(using)
        rows.filter(pk=row.pk, due_at=row.due_at).update(due_at=at + _LATER)
        _tell_operators(row, error)


def _tell_operators(row: ProcessDeadline, error: Exception) -> None:
    """As long as the step is open: a mended command goes on by itself."""
    process = choreographies.find(saga_type_of(row.saga_id))
    if process is None:
        return
    try:
        with transaction.atomic(using=events_settings().database):
            Watched.locked(process, row.saga_id).report(
                row.step,
                Direction(row.direction),
                problem=f"It takes too long, and what turns it back fails: {error!r}",
                advice="Mend that: it is tried again and again.",
            )
    except DatabaseError:
        logger.exception("Operators could not be told of %s", row.saga_id)


def _fire(row: ProcessDeadline, at: datetime) -> None:
    process = choreographies.find(saga_type_of(row.saga_id))
    if process is None:
        raise LookupError(f"No choreography is defined as {saga_type_of(row.saga_id)}.")
    watched = Watched.locked(process, row.saga_id)
    _take_in_what_has_come(watched)
    rows = ProcessDeadline.objects.using(events_settings().database)
    # The lock on what is watched is held: another worker was here before it, or nobody is.
    still_due = rows.filter(pk=row.pk, due_at__lte=at).first()
    leg = watched.open_leg(row.step, Direction(row.direction))
    if still_due is None:
        return
    if leg is None:
        still_due.delete()
        return
    problem = _turn_back(watched, leg, still_due)
    if problem is None:
        seconds = timedelta(seconds=leg.within_seconds or 0)
        rows.filter(pk=row.pk).update(due_at=at + seconds, is_second=True)
    else:
        rows.filter(pk=row.pk).update(due_at=None)
        watched.stall(leg, problem)


def _turn_back(watched: Watched, leg: OpenLeg, row: ProcessDeadline) -> str | None:
    """What an operator has to be told, if anything."""
    command = leg.otherwise(watched.key)
    late = f"No answer within {leg.within_seconds:g} s"
    if command is None:
        return f"{late}."
    if row.is_second:
        return f"{late}, and {command.command_type} had no effect."
    try:
        command_id = deadline_id_for(watched.saga_id, leg.step, leg.direction)
        command_bus.dispatch(command, command_id=command_id)
    except CommandRefused as refusal:
        return f"{late}, and {command.command_type} is refused: {refusal}"
    return None


def _take_in_what_has_come(watched: Watched) -> None:
    """An answer that is in the log counts, also before the watch has come to it."""
    correlation_id = _correlation_id(watched.saga_id)
    if correlation_id is None:
        return
    # A conversation can be much longer, and what was seen of it needn't be seen again.
    unseen = {cls.event_type for cls in watched.process.events} - watched.row.seen.keys()
    watched.see(
        recorded
        for recorded in event_store().read_correlated(correlation_id, event_types=unseen)
        if watched.process.saga_id_of(recorded) == watched.saga_id
    )


def _correlation_id(saga_id: str) -> str | None:
    instances = SagaInstance.objects.using(events_settings().database)
    found = instances.filter(pk=saga_id).values_list("correlation_id", flat=True).first()
    return found or None
