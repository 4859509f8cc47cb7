"""Dead letters: from their queue to the operators' table, and back when one says so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from ..bus.subscription import Subscription
from ..conf import events_settings
from ..delivery.failures import Failure, event_of, failed_events, storable
from ..delivery.operator_log import write_down
from ..envelope import recorded_event_to_json
from ..exceptions import MalformedMessage
from ..json_text import to_json_text
from ..models import DeadMessage, FailedEvent
from ..recorded_event import RecordedEvent
from ..signals import event_dead_lettered
from .messages import (
    ATTEMPT,
    ERROR_GROUP,
    ERROR_MESSAGE,
    ERROR_TRACEBACK,
    ERROR_TYPE,
    IncomingMessage,
    OutgoingMessage,
    recorded_event_of,
)
from .publishing import Publisher
from .received import ReceivedEvents

#: Who redrives, in the operator log: the operator who asked for it has an entry of their own.
REDRIVER = "consume_rabbitmq"
#: After which a redrive that was begun is taken for one whose process died.
REDRIVE_SECONDS = 60

_OURS = (ATTEMPT, ERROR_TYPE, ERROR_MESSAGE, ERROR_TRACEBACK, ERROR_GROUP)


# --- to the table ---


def take_over(subscription: Subscription, messages: Sequence[IncomingMessage]) -> int:
    """Commits them as dead letters; the same message again changes nothing. How many were new."""
    rows = []
    with transaction.atomic(using=events_settings().database):
        for message in messages:
            row = _store(subscription, message)
            if row is not None:
                rows.append(row)
    for row in rows:
        event_dead_lettered.send_robust(
            sender=FailedEvent, failed_event=row, subscription=subscription, error=None
        )
    return len(rows)


def _store(subscription: Subscription, message: IncomingMessage) -> FailedEvent | None:
    assert subscription.queue is not None
    event_id = _event_id(message)
    # It can be back before whoever has sent it back comes to note that: then it has failed again.
    sent_back = _sent_back(subscription).filter(event_id=event_id).first()
    if sent_back is not None:
        _note_redrive(sent_back, message.message_id, subscription.queue.name)
    row, is_new = failed_events().get_or_create(
        subscription_id=subscription.name, event_id=event_id, defaults=_columns(message)
    )
    if not is_new:
        return None
    _messages().create(
        failed_event=row,
        queue=subscription.queue.name,
        body=message.body,
        properties=_plain(message.properties),
    )
    return row


def _messages() -> QuerySet[DeadMessage]:
    return DeadMessage.objects.using(events_settings().database)


def _event_id(message: IncomingMessage) -> UUID:
    """That of the event; of what holds none, one that the same message has again."""
    try:
        return recorded_event_of(message).event_id
    except MalformedMessage:
        return uuid5(NAMESPACE_OID, message.body.hex())


def _columns(message: IncomingMessage) -> dict[str, Any]:
    now, failure = timezone.now(), _failure(message)
    columns: dict[str, Any] = {
        "lane": 0,
        "status": FailedEvent.Status.DEAD,
        "blocks": False,
        "attempts": message.attempt,
        "error_type": failure.error_type[:200],
        "error_message": failure.message,
        "traceback": failure.traceback,
        "fingerprint": failure.fingerprint[:16],
        "first_failed_at": now,
        "last_failed_at": now,
    }
    try:
        event = recorded_event_of(message)
    except MalformedMessage:
        event_type = storable(str(message.properties.get("type") or "?"))[:100]
        place = {"aggregate_type": "?", "aggregate_id": "?", "position": 0, "sequence_number": 0}
        return {**columns, **place, "event_type": event_type}
    return {
        **columns,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "position": event.position,
        "sequence_number": event.sequence_number,
        "event_type": event.event_type,
    }


def _failure(message: IncomingMessage) -> Failure:
    """As whoever gave up has written it on the message; else, the broker has."""
    headers = message.headers
    if ERROR_TYPE in headers:
        return Failure(
            error_type=storable(str(headers[ERROR_TYPE])),
            message=storable(str(headers.get(ERROR_MESSAGE, ""))),
            traceback=storable(str(headers.get(ERROR_TRACEBACK, ""))),
            fingerprint=storable(str(headers.get(ERROR_GROUP, ""))),
        )
    deaths = headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else {}
    reason = str(last.get("reason", "unknown")) if isinstance(last, Mapping) else "unknown"
    return Failure(
        error_type="RabbitMQ",
        message=f"The broker has given it up: {reason}.",
        traceback="",
        fingerprint=reason[:16],
    )


def _plain(value: object) -> Any:
    """As JSON that every database stores. What strangers put into headers needn't be."""
    if isinstance(value, Mapping):
        return {storable(str(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return storable(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


# --- back to the queue ---


def redrive_due(subscription: Subscription, publisher: Publisher) -> int:
    """Sends back what an operator wants to have retried, and removes it from the table when the
    broker has it. How many that were. Raises BrokerUnavailable."""
    assert subscription.queue is not None
    count = 0
    rows = _due(subscription)
    for pk in list(rows.order_by("position", "pk").values_list("pk", flat=True)):
        stored = _begun(subscription, pk)
        if stored is None:
            continue
        message = _redriven(subscription, stored)
        publisher.publish([message])
        _note_redrive(stored.failed_event, message.message_id, subscription.queue.name)
        count += 1
    return count


def _due(subscription: Subscription) -> QuerySet[FailedEvent]:
    return _to_send_back(subscription).filter(next_attempt_at__lte=Now())


def _sent_back(subscription: Subscription) -> QuerySet[FailedEvent]:
    """Or about to be."""
    return _to_send_back(subscription).filter(next_attempt_at__gt=Now())


def _to_send_back(subscription: Subscription) -> QuerySet[FailedEvent]:
    return failed_events().filter(
        subscription_id=subscription.name,
        status=FailedEvent.Status.RETRYING,
        message__isnull=False,
    )


def _begun(subscription: Subscription, pk: int) -> DeadMessage | None:
    """None where another consumer was faster, or an operator has discarded it."""
    later = Now() + timedelta(seconds=REDRIVE_SECONDS)
    if not _due(subscription).filter(pk=pk).update(next_attempt_at=later):
        return None
    return _messages().select_related("failed_event").filter(failed_event_id=pk).first()


def _redriven(subscription: Subscription, stored: DeadMessage) -> OutgoingMessage:
    """With all attempts before it. The edited event, where an operator has edited it."""
    assert subscription.queue is not None
    incoming = IncomingMessage(body=bytes(stored.body), properties=stored.properties)
    gone = {name: None for name in incoming.headers if name in _OURS or name.startswith("x-")}
    outgoing = incoming.as_outgoing(exchange="", routing_key=subscription.queue.name, **gone)
    if stored.failed_event.edited is None:
        return outgoing
    edited = event_of(stored.failed_event, ReceivedEvents(subscription.name))
    return _with_event(outgoing, edited)


def _with_event(message: OutgoingMessage, event: RecordedEvent) -> OutgoingMessage:
    return OutgoingMessage(
        exchange=message.exchange,
        routing_key=message.routing_key,
        body=to_json_text(recorded_event_to_json(event)).encode(),
        properties={**message.properties, "message_id": str(event.event_id)},
        mandatory=True,
    )


def _note_redrive(row: FailedEvent, message_id: str, queue: str) -> None:
    with transaction.atomic(using=events_settings().database):
        same = failed_events().filter(pk=row.pk, status=FailedEvent.Status.RETRYING)
        if same.delete()[0]:
            facts = {
                "failed_event": row.pk,
                "event_id": str(row.event_id),
                "message_id": message_id,
                "queue": queue,
            }
            write_down("redrive", row.subscription_id, actor=REDRIVER, reason="", details=facts)
