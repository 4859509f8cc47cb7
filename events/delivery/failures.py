"""What becomes of an event whose handler failed: tried again when due, or left to an operator.

Everything here is written in a transaction of the engine that also writes the lane's row.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone

from ..bus.subscription import OnFailure, Subscription
from ..conf import events_settings
from ..exceptions import HandlerDied
from ..models import FailedEvent, SubscriptionState
from ..recorded_event import RecordedEvent
from ..store.source import DEFAULT_BATCH_SIZE, EventSource
from ..streams import StreamName

Status = FailedEvent.Status

_MAX_TRACEBACK_CHARACTERS = 20_000
#: Events that are read to find the next one that waits. All that wait are asked for, one by one: to
#: read them all each time would take the square of their number.
_NEXT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error as it is kept: text that every database can store."""

    error_type: str
    message: str
    traceback: str
    #: See `fingerprint`.
    fingerprint: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        return cls(
            error_type=_type_name(error)[:200],
            message=storable(_message(error)),
            traceback=storable(_traceback(error)),
            fingerprint=fingerprint(error),
        )


def failed_events() -> QuerySet[FailedEvent]:
    return FailedEvent.objects.using(events_settings().database)


def blocked_streams(subscription: Subscription) -> set[StreamName]:
    """Those whose events wait. Only the holder of a stream's lane adds or removes one."""
    rows = failed_events().filter(subscription_id=subscription.name, blocks=True)
    return {StreamName(*row) for row in rows.values_list("aggregate_type", "aggregate_id")}


def has_none(subscription: Subscription, lane: int) -> bool:
    rows = failed_events().filter(subscription_id=subscription.name, lane=lane)
    return not rows.exists()


def due(
    subscription: Subscription, lane: int, *, also_later: bool = False
) -> Iterator[FailedEvent]:
    """Those of a lane that are to be tried now, the longest overdue first, one by one, each as it
    stands then. Messages of a broker go back to their queue instead."""
    rows = failed_events().filter(
        subscription_id=subscription.name, lane=lane, status=Status.RETRYING, message=None
    )
    if not also_later:
        rows = rows.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=Now()))
    for pk in list(rows.order_by("next_attempt_at", "position").values_list("pk", flat=True)):
        row = rows.filter(pk=pk).first()
        if row is not None:
            yield row


def record(
    subscription: Subscription, event: RecordedEvent, lane: int, error: BaseException, attempts: int
) -> FailedEvent:
    """The first failure of an event."""
    row = _row(subscription, event, lane)
    row.attempts = attempts
    row.first_failed_at = timezone.now()
    note_failure(subscription, row, error)
    return row


def note_failure(subscription: Subscription, row: FailedEvent, error: BaseException) -> None:
    """Plans its next attempt, or makes it a dead letter."""
    failure = Failure.of(error)
    row.error_type = failure.error_type
    row.error_message = failure.message
    row.traceback = failure.traceback
    row.fingerprint = failure.fingerprint
    row.last_failed_at = timezone.now()
    if not subscription.retry.is_used_up(error, row.attempts):
        row.status, row.next_attempt_at = Status.RETRYING, _next_attempt_at(subscription, row)
    else:
        row.status, row.next_attempt_at = Status.DEAD, None
        # What has let its stream go on doesn't stop it again when it is retried.
        row.blocks = row.blocks and subscription.on_failure is not OnFailure.SKIP
        if subscription.on_failure is OnFailure.STOP:
            stop(subscription, row, error)
    row.save(using=events_settings().database)


def count_attempt(subscription: Subscription, row: FailedEvent) -> bool:
    """Before the handler runs: if that ends the process, the attempt has been counted, and the
    next one isn't at once. False where an operator has just discarded it."""
    row.attempts += 1
    row.next_attempt_at = _next_attempt_at(subscription, row)
    counted = (
        failed_events()
        .filter(pk=row.pk)
        .update(attempts=row.attempts, next_attempt_at=row.next_attempt_at)
    )
    return counted > 0


def forget_attempt(row: FailedEvent) -> None:
    """Its worker lost the lane meanwhile: how it went is rolled back, and is no crash either."""
    # By then the row is another's. If that one hasn't begun with it, the count tells.
    mine = failed_events().filter(pk=row.pk, status=Status.RETRYING, attempts=row.attempts)
    mine.update(attempts=row.attempts - 1, next_attempt_at=Now())


def is_used_up(subscription: Subscription, row: FailedEvent) -> bool:
    """Its last attempt was begun, and the process didn't live to see how it went."""
    return row.attempts >= subscription.retry.attempts


def resolve(
    subscription: Subscription, row: FailedEvent, store: EventSource, up_to: int
) -> FailedEvent | None:
    """The event is done with. The next one that waited behind it takes its place, or the stream is
    free again."""
    # Not by the instance, which forgets its key then, although this may be rolled back.
    failed_events().filter(pk=row.pk).delete()
    return succeed(subscription, row, store, up_to) if row.blocks else None


def succeed(
    subscription: Subscription, row: FailedEvent, store: EventSource, up_to: int
) -> FailedEvent | None:
    """Blocks the stream of an event that doesn't block it any more with the next one that had
    waited, so that it is handled in its turn. None when there is none."""
    waited = next(waiting(subscription, row, store, up_to, batch_size=_NEXT), None)
    if waited is None:
        return None
    successor = _row(subscription, waited, row.lane)
    successor.save(using=events_settings().database)
    return successor


def waiting(
    subscription: Subscription,
    row: FailedEvent,
    store: EventSource,
    up_to: int,
    *,
    batch_size: int = DEFAULT_BATCH_SIZE,
) -> Iterator[RecordedEvent]:
    """The events behind a blocked one that its lane has passed, `up_to` its position."""
    stream = StreamName(row.aggregate_type, row.aggregate_id)
    from_version = row.sequence_number + 1
    for event in store.read_stream(stream, from_version=from_version, batch_size=batch_size):
        if event.position > up_to:
            return
        if subscription.matches(event):
            yield event


def event_of(row: FailedEvent, store: EventSource) -> RecordedEvent:
    """As it is stored; with the data that an operator gave for it, where one did."""
    event = store.get_event(row.event_id)
    if row.edited is None:
        return event
    return replace(
        event,
        event_id=UUID(row.edited["event_id"]),
        data=row.edited["data"],
        event_version=row.edited["event_version"],
        metadata={**event.metadata, "replaces": str(event.event_id)},
    )


def fingerprint(error: BaseException) -> str:
    """The same for errors of one type, raised at one place in the code, with the same causes."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and not any(cause is each for each in chain):
        chain.append(cause)
        cause = cause.__cause__
    text = "".join(map(_type_and_place, chain))
    return blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()


def _type_and_place(error: BaseException) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f"{frame.filename}:{frame.name}" for frame in place)
    return f"{_type_name(error)}@{where};"


def _row(subscription: Subscription, event: RecordedEvent, lane: int) -> FailedEvent:
    return FailedEvent(
        subscription_id=subscription.name,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        sequence_number=event.sequence_number,
        position=event.position,
        event_id=event.event_id,
        event_type=event.event_type,
        lane=lane,
    )


def _next_attempt_at(subscription: Subscription, row: FailedEvent) -> CombinedExpression:
    return Now() + timedelta(seconds=subscription.retry.delay_seconds(max(row.attempts, 1)))


def stop(
    subscription: Subscription, event: RecordedEvent | FailedEvent, error: BaseException
) -> None:
    """As its policy says. An event that was never passed stays the next one."""
    SubscriptionState.objects.using(events_settings().database).filter(
        name=subscription.name
    ).update(
        status=SubscriptionState.Status.STOPPED,
        reason=f"{event.event_type} at {event.position} failed: {storable(repr(error))}",
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message can't be told)"


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else (f"{kind.__module__}.{kind.__qualname__}")
    )


def _traceback(error: BaseException) -> str:
    if isinstance(error, HandlerDied):
        return ""
    return "".join(traceback.format_exception(error))[-_MAX_TRACEBACK_CHARACTERS:]


def storable(text: str) -> str:
    """PostgreSQL has no NUL in text, and UTF-8 no lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
