"""Carries out what operators have asked for, a part at a time, between a worker's events.

Any worker goes on with what another one has left behind: an operation is held by a lock on its row
for the time of a part, and a rebuild by the lease of its lane.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from time import monotonic

from django.db import (
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    transaction,
)
from django.db.models import QuerySet
from django.utils import timezone

from ..conf import events_settings
from ..exceptions import InvalidInput, LeaseLost, RebuildFailed, RebuildRunning
from ..models import Operation
from ..projections import projections
from . import bulk
from .failures import storable
from .operator_log import check_actor, check_reason, write_down
from .rebuilding import Rebuild

logger = logging.getLogger(__name__)

Kind, Status = Operation.Kind, Operation.Status

#: Then events have their turn.
_SECONDS = 0.4
_MAX_OPEN = 20
#: Its tables are made in this time, or whoever was to make them is gone.
_PREPARED_WITHIN = timedelta(seconds=60)
_MAX_PROBLEM_CHARACTERS = 2_000


class _NotOpen(Exception):
    """It has ended meanwhile."""


def operations() -> QuerySet[Operation]:
    return Operation.objects.using(events_settings().database)


# --- asking ---


def ask_for_rebuild(name: str, *, actor: str, reason: str) -> Operation:
    """Of a projection. Raises UnknownProjection, and InvalidInput while another one is open."""
    check_actor(actor)
    check_reason(reason)
    projections.get(name)
    try:
        with transaction.atomic(using=events_settings().database):
            operation = operations().create(
                kind=Kind.REBUILD, subscription=name, actor=actor, reason=reason
            )
            details = {"operation": operation.pk}
            write_down("rebuild", name, actor=actor, reason=reason, details=details)
    except IntegrityError as error:
        raise InvalidInput("name", f"a rebuild of {name} is under way") from error
    return operation


def cancel(operation_id: int, *, actor: str, reason: str) -> None:
    """What is done stays done. Raises InvalidInput where it has ended."""
    check_actor(actor)
    check_reason(reason)
    with transaction.atomic(using=events_settings().database):
        operation = operations().select_for_update().filter(pk=operation_id).first()
        if operation is None or not operation.is_open:
            raise InvalidInput("operation", f"{operation_id} isn't under way")
        if operation.kind == Kind.REBUILD:
            Rebuild(projections.get(operation.subscription)).abandon()
        _end(operation, Status.CANCELLED)
        write_down(
            "cancel",
            operation.subscription,
            actor=actor,
            reason=reason,
            details={
                "operation": operation.pk,
                "kind": operation.kind,
                "done": operation.done,
                "total": operation.total,
            },
        )


# --- doing ---


def carry_out_operations() -> bool:
    """A chore of every worker: whether it got on with something."""
    worked, end = False, monotonic() + _SECONDS
    still_open = operations().filter(status__in=Operation.OPEN).order_by("pk")
    for operation in still_open[:_MAX_OPEN]:
        while monotonic() < end and _carry_out(operation):
            worked = True
    return worked


def _carry_out(operation: Operation) -> bool:
    """A part. False where another worker has it, or it has ended."""
    step = _advance_rebuild if operation.kind == Kind.REBUILD else _advance_bulk
    try:
        return step(operation.pk)
    except Exception as error:
        if isinstance(error, Error) and not connections[events_settings().database].is_usable():
            raise
        if isinstance(error, OperationalError | InterfaceError):  # such as a deadlock
            logger.exception("A part of operation %s can't be done yet", operation.pk)
        else:
            logger.exception("Operation %s can't go on", operation.pk)
            _fail(operation.pk, error)
    return False


def _advance_bulk(operation_id: int) -> bool:
    with transaction.atomic(using=events_settings().database):
        operation = _hold(operation_id)
        if operation is None:
            return False
        _begin(operation)
        if bulk.carry_out_part(operation):
            operation.save(using=events_settings().database)
        else:
            _end(operation, Status.DONE)
    return True


def _advance_rebuild(operation_id: int) -> bool:
    with transaction.atomic(using=events_settings().database):
        operation = _hold(operation_id)
        if operation is None:
            return False
        rebuild = Rebuild(projections.get(operation.subscription))
        is_first = _is_to_be_prepared(operation, rebuild)
        if is_first:
            _begin(operation)
            operation.save(using=events_settings().database)
    if is_first:
        rebuild.prepare(restart=True)
    return _go_on(operation_id, rebuild)


def _is_to_be_prepared(operation: Operation, rebuild: Rebuild) -> bool:
    """By this worker: two at the same time would empty each other's tables. One that has died
    before it was done with it is waited for."""
    if operation.started_at is None or operation.updated_at is None:
        return True
    is_late = operation.updated_at < timezone.now() - _PREPARED_WITHIN
    return is_late and not rebuild.is_prepared


def _go_on(operation_id: int, rebuild: Rebuild) -> bool:
    rows = operations().filter(pk=operation_id)

    def finish() -> None:
        held = rows.select_for_update().get()
        if not held.is_open:
            raise _NotOpen
        _end(held, Status.DONE)

    if not rows.filter(status__in=Operation.OPEN).exists():
        rebuild.abandon()  # cancelled while it was prepared
        return False
    try:
        reached, mark = rebuild.advance(_SECONDS, finish=finish)
    except (_NotOpen, LeaseLost, RebuildRunning):
        return False
    rows.update(done=reached, total=mark, updated_at=timezone.now())
    return reached < mark


def _hold(operation_id: int) -> Operation | None:
    """None where another worker is busy with it, or it has ended."""
    using = events_settings().database
    skip_locked = connections[using].features.has_select_for_update_skip_locked
    rows = operations().filter(pk=operation_id, status__in=Operation.OPEN)
    return rows.select_for_update(skip_locked=skip_locked).first()


def _begin(operation: Operation) -> None:
    operation.status, operation.updated_at = Status.RUNNING, timezone.now()
    operation.started_at = operation.started_at or operation.updated_at


def _end(operation: Operation, status: str) -> None:
    operation.status, operation.ended_at = status, timezone.now()
    operation.save(using=events_settings().database)


def _fail(operation_id: int, error: Exception) -> None:
    """Nothing where it was cancelled meanwhile, which may be why it failed."""
    cause = error.__cause__ if isinstance(error, RebuildFailed) else None
    with transaction.atomic(using=events_settings().database):
        operation = operations().select_for_update().filter(pk=operation_id).first()
        if operation is not None and operation.is_open:
            told = f"{error}" + (f" The error was: {cause!r}" if cause else "")
            operation.problem = storable(told[:_MAX_PROBLEM_CHARACTERS])
            _end(operation, Status.FAILED)
