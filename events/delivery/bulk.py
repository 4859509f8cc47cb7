"""Retries or discards many dead letters at once: those that met the conditions when an operator
asked for it.

They are frozen as items, each with the version that it had. Workers take them a part at a time;
the outcome of an item is written in the commit of what is done to it, so that a part that is cut
short has done nothing, and none is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TypeVar

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Max, QuerySet

from ..conf import events_settings
from ..exceptions import InvalidInput
from ..models import FailedEvent, Operation, OperationItem
from ..streams import StreamName
from . import dead_letters
from .dead_letters import Choice, Outcome, Skipped
from .failures import storable
from .operator_log import check_actor, check_reason, write_down

Kind, Status, ItemStatus = Operation.Kind, Operation.Status, OperationItem.Status
ValueT = TypeVar("ValueT")

#: Items in one transaction, which can hold the lanes of all of them.
PART = 100
_FROZEN_TOGETHER = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Of dead letters; an empty text is no condition."""

    fingerprint: str = ""
    subscription: str = ""
    event_type: str = ""
    stream: str = ""

    def given(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    def rows(self) -> QuerySet[FailedEvent]:
        """Raises InvalidInput."""
        return dead_letters.find(
            status=FailedEvent.Status.DEAD,
            fingerprint=self.fingerprint or None,
            subscription=self.subscription or None,
            event_type=self.event_type or None,
            stream=StreamName.parse(self.stream) if self.stream else None,
        ).order_by()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How many there are, and the newest of them: what an operator agrees to."""

    count: int
    up_to: int


def survey(conditions: Conditions, *, up_to: int | None = None) -> Survey:
    rows = conditions.rows()
    if up_to is None:
        up_to = rows.aggregate(last=Max("pk"))["last"] or 0
    return Survey(count=rows.filter(pk__lte=up_to).count(), up_to=up_to)


def ask(
    kind: str, conditions: Conditions, seen: Survey, *, actor: str, reason: str = ""
) -> Operation:
    """Freezes the set; workers do the rest. Raises InvalidInput where there is no condition, or as
    many as were `seen` are not there any more."""
    check_actor(actor)
    if kind == Kind.DISCARD:
        check_reason(reason)
    if not conditions.given():
        raise InvalidInput("conditions", "choose some: all dead letters of all kinds are too many")
    using = events_settings().database
    with transaction.atomic(using=using):
        operation = Operation.objects.using(using).create(
            kind=kind,
            subscription=conditions.subscription,
            conditions={**conditions.given(), "up_to": seen.up_to},
            actor=actor,
            reason=reason,
        )
        operation.total = _freeze(operation, conditions, seen)
        if operation.total != seen.count:
            raise InvalidInput(
                "conditions", f"there are {operation.total} now, not {seen.count}: look again"
            )
        operation.save(using=using, update_fields=["total"])
        write_down(
            f"bulk_{kind}",
            conditions.subscription,
            actor=actor,
            reason=reason,
            details={
                "operation": operation.pk,
                "count": operation.total,
                "conditions": operation.conditions,
            },
        )
    return operation


def _freeze(operation: Operation, conditions: Conditions, seen: Survey) -> int:
    using, count = events_settings().database, 0
    rows = conditions.rows().filter(pk__lte=seen.up_to)
    heads = rows.only("event_id", "status", "last_failed_at", "edited")
    for part in _parts(dead_letters.choose(heads), _FROZEN_TOGETHER):
        OperationItem.objects.using(using).bulk_create(
            OperationItem(operation=operation, failed_event=choice.id, version=choice.version)
            for choice in part
        )
        count += len(part)
    return count


def carry_out_part(operation: Operation) -> bool:
    """In the transaction that holds the operation's row. Whether there may be more to do."""
    items = OperationItem.objects.using(events_settings().database)
    waiting = items.filter(operation=operation, status=ItemStatus.WAITING).order_by("pk")
    part = {item.failed_event: item for item in waiting[:PART]}
    chosen = [Choice(item.failed_event, item.version) for item in part.values()]
    outcome, failed = _do(operation, chosen)
    _note(part, outcome, failed)
    operation.done += len(outcome.done)
    operation.skipped += len(outcome.skipped)
    operation.failed += len(failed)
    return len(part) == PART


def _do(operation: Operation, chosen: Sequence[Choice]) -> tuple[Outcome, Mapping[int, str]]:
    """Together, or one by one where something raises: why, by the id of those which did."""
    act = _ACTIONS[operation.kind]
    try:
        return _act(act, operation, chosen), {}
    except (OperationalError, InterfaceError):
        raise  # such as a deadlock: the whole part is tried again
    except Exception:
        return _one_by_one(act, operation, chosen)


def _one_by_one(
    act: Callable[..., Outcome], operation: Operation, chosen: Sequence[Choice]
) -> tuple[Outcome, Mapping[int, str]]:
    done: list[int] = []
    skipped: list[Skipped] = []
    failed: dict[int, str] = {}
    for choice in chosen:
        try:
            outcome = _act(act, operation, [choice])
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            failed[choice.id] = storable(f"{type(error).__name__}: {error}")
        else:
            done += outcome.done
            skipped += outcome.skipped
    return Outcome(tuple(done), tuple(skipped)), failed


def _act(act: Callable[..., Outcome], operation: Operation, chosen: Sequence[Choice]) -> Outcome:
    with transaction.atomic(using=events_settings().database):
        return act(chosen, actor=operation.actor, reason=operation.reason, operation=operation.pk)


def _note(part: Mapping[int, OperationItem], outcome: Outcome, failed: Mapping[int, str]) -> None:
    for number in outcome.done:
        part[number].status = ItemStatus.DONE
    for skipped in outcome.skipped:
        part[skipped.id].status, part[skipped.id].why = ItemStatus.SKIPPED, skipped.why
    for number, why in failed.items():
        part[number].status, part[number].why = ItemStatus.FAILED, why
    if part:
        OperationItem.objects.using(events_settings().database).bulk_update(
            part.values(), ["status", "why"]
        )


def _parts(values: Iterable[ValueT], size: int) -> Iterator[list[ValueT]]:
    left = iter(values)
    while part := list(islice(left, size)):
        yield part


_ACTIONS: Mapping[str, Callable[..., Outcome]] = {
    Kind.RETRY: dead_letters.retry,
    Kind.DISCARD: dead_letters.discard,
}
