"""What one would write by hand with Django's ORM, on the same tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from events.identifiers import new_id
from events.models import AggregateVersion, Event

from ..harness import Operation
from . import ours
from .payments import PAYMENT, places


def prepare_append(events: int) -> Operation:
    free = places(events)
    return lambda: append(*next(free), events)


@transaction.atomic
def append(account_id: UUID, first: int, events: int) -> None:
    advance(account_id, first, events)
    Event.objects.bulk_create(
        [payment_received(account_id, first + number) for number in range(events)]
    )


def advance(account_id: UUID, first: int, events: int) -> None:
    stream = {"aggregate_type": "Account", "aggregate_id": str(account_id)}
    if first == 0:
        AggregateVersion.objects.create(**stream, version=events - 1)
        return
    updated = AggregateVersion.objects.filter(**stream, version=first - 1).update(
        version=F("version") + events, updated_at=timezone.now()
    )
    if not updated:
        raise RuntimeError(f"{account_id} is not at version {first - 1}")


def payment_received(account_id: UUID, sequence_number: int) -> Event:
    correlation_id = str(new_id())
    return Event(
        event_id=new_id(),
        aggregate_type="Account",
        aggregate_id=str(account_id),
        event_type="PaymentReceived",
        event_version=1,
        sequence_number=sequence_number,
        event_data=payment_data(),
        metadata={"correlation_id": correlation_id, "causation_id": None, "user_id": None},
        correlation_id=correlation_id,
        occurred_on=timezone.now(),
    )


def payment_data() -> dict[str, Any]:
    return {
        **PAYMENT,
        "payment_id": str(PAYMENT["payment_id"]),
        "amount": str(PAYMENT["amount"]),
        "due_at": PAYMENT["due_at"].isoformat(),
    }


def prepare_load(events: int) -> Operation:
    account_id = ours.save_account(ours.Account, events)
    return lambda: load(account_id)


def load(account_id: UUID) -> tuple[Decimal, int, UUID | None]:
    balance, payments, last_payment_id = Decimal(0), 0, None
    events = Event.objects.filter(aggregate_type="Account", aggregate_id=str(account_id))
    for event in events.order_by("sequence_number"):
        if event.event_type == ours.PaymentReceived.event_type:
            balance += Decimal(event.event_data["amount"])
            payments += 1
            last_payment_id = UUID(event.event_data["payment_id"])
    return balance, payments, last_payment_id


def prepare_read_log(events: int) -> Operation:
    ours.save_accounts(events)
    return lambda: list(Event.objects.order_by("position"))
