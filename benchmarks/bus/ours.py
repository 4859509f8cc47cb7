"""Durable subscriptions, through the public API, in the process that calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from events.bus.subscription import Subscription, subscribe
from events.delivery.worker import Worker
from events.models import Lane
from events.recorded_event import RecordedEvent
from events.store.configured import event_store

from ..harness import Operation
from ..store.ours import save_accounts
from .models import Receipt

NAME = "benchmarks.receipts"

_INSERT = """
    INSERT INTO bus_receipt (position, amount, reference, handled_at) VALUES (%s, %s, %s, %s)
"""


def write_row(recorded: RecordedEvent) -> None:
    receipt(recorded).save(force_insert=True)


def write_row_by_sql(recorded: RecordedEvent) -> None:
    data = recorded.data
    row = (recorded.position, data.get("amount", 0), data.get("reference", ""), time.monotonic())
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, row)


def write_rows(batch: list[RecordedEvent]) -> None:
    Receipt._default_manager.bulk_create([receipt(recorded) for recorded in batch])


def do_nothing(recorded: RecordedEvent) -> None:
    pass


def receipt(recorded: RecordedEvent) -> Receipt:
    return Receipt(
        position=recorded.position,
        amount=Decimal(recorded.data.get("amount", 0)),
        reference=recorded.data.get("reference", ""),
        handled_at=time.monotonic(),
    )


def prepare_handling(events: int, handler: Any, **options: Any) -> Operation:
    """Handles as many events, of a log that has no others."""
    save_accounts(events)
    subscription = subscribe("Account.*", handler, name=NAME, **options)
    analyze()

    def handle_all() -> None:
        go_back([subscription])
        worker = Worker(only=[subscription])
        worker.turn()
        if worker.tally.handled != events:
            raise RuntimeError(f"It handled {worker.tally.handled} of {events} events.")

    return handle_all


def prepare_loop(events: int, handler: Callable[[RecordedEvent], None]) -> Operation:
    """No worker, no subscription: the handler is called with each event."""
    save_accounts(events)
    recorded = list(event_store().read_log())

    def handle_all() -> None:
        with transaction.atomic():
            for each in recorded:
                handler(each)

    return handle_all


def prepare_reading(events: int) -> Operation:
    save_accounts(events)
    analyze()
    store = event_store()

    def read_all() -> None:
        for _ in store.read_log():
            pass

    return read_all


def go_back(subscriptions: Iterable[Subscription]) -> None:
    """To the first event."""
    names = [each.name for each in subscriptions]
    Lane.objects.filter(subscription_id__in=names).update(position=0)


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE events")
