"""What an operator does about events that could not be handled: retry, discard, edit and retry.

Each action is on rows as they were chosen: one that a worker or another operator has changed since
is skipped and reported, not touched. Where a worker may be in the middle of what is changed, its
lane is taken from it, so that it commits nothing: effects in the database are rolled back, those
elsewhere can be had twice, as after a crash.

Rows are locked in the order that workers lock them in: subscription, failed events, lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from ..bus.subscription import subscriptions
from ..codec import JsonObject
from ..conf import events_settings
from ..exceptions import InvalidInput, UnknownEventType
from ..identifiers import new_id
from ..models import FailedEvent, Lane, SubscriptionState
from ..recorded_event import RecordedEvent
from ..registry import event_types
from ..streams import StreamName
from . import failures
from .lanes import take_back
from .operator_log import check_actor, check_reason, entry, write_all_down
from .sources import source_of

Status = FailedEvent.Status

#: In one transaction, which holds the lanes of all of them.
_TOGETHER = 100


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """A failed event as somebody saw it who decided about it."""

    id: int
    #: Differs as soon as the row has failed again or was acted on.
    version: str


@dataclass(frozen=True, slots=True)
class Skipped:
    id: int
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each one chosen. `done` are ids of FailedEvent."""

    done: tuple[int, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class _NotDone(Exception):
    """Why one row is skipped."""


#: Changes a locked row; given its lane's position. Returns details for the operator log.
_Change: TypeAlias = Callable[[FailedEvent, int], dict[str, Any]]


# --- which ---


def find(
    *,
    subscription: str | None = None,
    status: str | None = None,
    fingerprint: str | None = None,
    event_type: str | None = None,
    stream: StreamName | None = None,
) -> QuerySet[FailedEvent]:
    """Those that meet all conditions, oldest event first. Raises InvalidInput."""
    if status is not None and status not in Status.values:
        raise InvalidInput("status", f"{status!r} is none of {', '.join(Status.values)}")
    conditions: dict[str, Any] = {
        "subscription_id": subscription,
        "status": status,
        "fingerprint": fingerprint,
        "event_type": event_type,
        "aggregate_type": stream and stream.aggregate_type,
        "aggregate_id": stream and stream.aggregate_id,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    return failures.failed_events().filter(**given).order_by("position", "pk")


def choose(rows: Iterable[FailedEvent]) -> list[Choice]:
    return [Choice(row.pk, _version(row)) for row in rows]


def _version(row: FailedEvent) -> str:
    edited = row.edited and row.edited["event_id"]
    facts = (row.event_id, row.status, row.last_failed_at, edited)
    return blake2b(repr(facts).encode(), digest_size=8).hexdigest()


def waiting_behind(row: FailedEvent, limit: int) -> list[RecordedEvent]:
    """The first of the events that wait for this one. Which do, only the code of its subscription
    can tell: without it, none."""
    subscription = subscriptions.find(row.subscription_id)
    lane = Lane.objects.using(events_settings().database).filter(
        subscription_id=row.subscription_id, number=row.lane
    )
    position = lane.values_list("position", flat=True).first()
    if subscription is None or position is None or not row.blocks:
        return []
    return list(
        islice(failures.waiting(subscription, row, source_of(subscription.name), position), limit)
    )


def data_to_edit(row: FailedEvent) -> JsonObject:
    """As its handler would get it now, in the current version of its type. Raises
    UnknownEventType, UpcastingFailed."""
    event = failures.event_of(row, source_of(row.subscription_id))
    return event_types.current_data(event.event_type, event.event_version, event.data)


# --- what ---


def retry(
    chosen: Sequence[Choice], *, actor: str, reason: str = "", operation: int | None = None
) -> Outcome:
    """They are handled again at once, with all attempts before them. `operation` is the one that
    this is a part of, for the operator log."""

    def change(row: FailedEvent, position: int) -> dict[str, Any]:
        _set_due(row)
        return {}

    return _act("retry", chosen, change, actor=actor, reason=reason, operation=operation)


def discard(
    chosen: Sequence[Choice], *, actor: str, reason: str, operation: int | None = None
) -> Outcome:
    """They are passed over for good; what waited behind them goes on. Raises InvalidInput without
    a reason."""
    check_reason(reason)

    def change(row: FailedEvent, position: int) -> dict[str, Any]:
        subscription = subscriptions.find(row.subscription_id)
        if subscription is None:
            raise _NotDone(f"{row.subscription_id} has no code: restore it, or forget it")
        source = source_of(subscription.name)
        successor = failures.resolve(subscription, row, source, position)
        return {"next": str(successor.event_id) if successor else None}

    return _act("discard", chosen, change, actor=actor, reason=reason, operation=operation)


def edit_and_retry(choice: Choice, data: JsonObject, *, actor: str, reason: str = "") -> Outcome:
    """Its handler gets an event with this data in its place, which has an id of its own and names
    the old one as `replaces` in its metadata. The log stays as it is, and so do other
    subscriptions.

    `data` is of the current version of the event's type. Raises DecodingError or EncodingError
    with the field, InvalidInput for fields that the type doesn't have, UnknownEventType.
    """
    rows = {row.pk: row for row in failures.failed_events().filter(pk=choice.id)}
    if why_not := _why_not(choice, rows):
        return Outcome(skipped=(Skipped(choice.id, why_not),))
    row = rows[choice.id]
    before = failures.event_of(row, source_of(row.subscription_id))
    edited = _checked_edit(before, data)

    def change(row: FailedEvent, position: int) -> dict[str, Any]:
        row.edited = edited
        _set_due(row)
        return {"data_before": before.data, "data_after": edited["data"], "edited": edited}

    return _act("edit", [choice], change, actor=actor, reason=reason)


def _checked_edit(event: RecordedEvent, data: JsonObject) -> dict[str, Any]:
    cls = event_types.find(event.event_type)
    if cls is None:
        raise UnknownEventType(event.event_type, event.event_version)
    event_id = new_id()
    decoded = event_types.decode(
        event.event_type,
        cls.event_version,
        data,
        event_id=event_id,
        occurred_on=event.occurred_on,
        metadata=event.metadata,
    )
    encoded = event_types.encode(decoded)
    if unknown := sorted(data.keys() - encoded.keys()):
        raise InvalidInput(unknown[0], f"{event.event_type} has no such field")
    return {"event_id": str(event_id), "data": encoded, "event_version": cls.event_version}


def _set_due(row: FailedEvent) -> None:
    row.status, row.attempts = Status.RETRYING, 0
    row.next_attempt_at = Now()
    row.save(
        using=events_settings().database,
        update_fields=["status", "attempts", "next_attempt_at", "edited"],
    )


# --- how ---


def _act(
    action: str,
    chosen: Sequence[Choice],
    change: _Change,
    *,
    actor: str,
    reason: str,
    operation: int | None = None,
) -> Outcome:
    check_actor(actor)
    part_of = {} if operation is None else {"operation": operation}
    done: list[int] = []
    skipped: list[Skipped] = []
    for together in _in_parts(chosen):
        with transaction.atomic(using=events_settings().database):
            rows = _lock(together)
            unchanged = [rows[each.id] for each in together if _why_not(each, rows) is None]
            positions = _take_lanes(action, unchanged)
            skipped += [Skipped(each.id, why) for each in together if (why := _why_not(each, rows))]
            entries = []
            for row in unchanged:
                facts = _facts(row) | part_of
                try:
                    facts |= change(row, positions.get((row.subscription_id, row.lane), 0))
                except _NotDone as refusal:
                    skipped.append(Skipped(row.pk, str(refusal)))
                    continue
                stream = facts["stream"]
                entries.append(entry(action, row.subscription_id, actor, reason, facts, stream))
                done.append(row.pk)
            write_all_down(entries)
    return Outcome(tuple(done), tuple(skipped))


def _why_not(choice: Choice, rows: Mapping[int, FailedEvent]) -> str | None:
    row = rows.get(choice.id)
    if row is None:
        return "it is gone: handled or discarded meanwhile"
    return None if _version(row) == choice.version else "it has changed since it was chosen"


def _in_parts(chosen: Sequence[Choice]) -> Iterator[list[Choice]]:
    unique = sorted(set(chosen))
    for start in range(0, len(unique), _TOGETHER):
        yield unique[start : start + _TOGETHER]


def _lock(chosen: Sequence[Choice]) -> dict[int, FailedEvent]:
    rows = failures.failed_events().filter(pk__in=[choice.id for choice in chosen])
    names = set(rows.values_list("subscription_id", flat=True))
    states = SubscriptionState.objects.using(events_settings().database).filter(name__in=names)
    list(states.select_for_update(no_key=True).order_by("name"))
    return {row.pk: row for row in rows.select_for_update().order_by("pk")}


def _take_lanes(action: str, rows: Sequence[FailedEvent]) -> dict[tuple[str, int], int]:
    """Of those rows that a worker may be busy with, or has read that they block their stream.
    Returns their positions."""
    numbers: dict[str, set[int]] = {}
    for row in rows:
        if row.status == Status.RETRYING or (action == "discard" and row.blocks):
            numbers.setdefault(row.subscription_id, set()).add(row.lane)
    # What workers remember of these lanes is from before.
    SubscriptionState.objects.using(events_settings().database).filter(name__in=numbers).update(
        changed_at=timezone.now()
    )
    return {
        (name, number): position
        for name in sorted(numbers)
        for number, position in take_back(name, numbers[name]).items()
    }


def _facts(row: FailedEvent) -> dict[str, Any]:
    return {
        "failed_event": row.pk,
        "event_id": str(row.event_id),
        "event_type": row.event_type,
        "stream": f"{row.aggregate_type}-{row.aggregate_id}",
        "position": row.position,
        "status": row.status,
        "attempts": row.attempts,
        "error_type": row.error_type,
        "error_message": row.error_message,
    }
