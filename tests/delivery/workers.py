"""Workers in processes of their own, which stop for ever at a step, and what they leave behind."""

from __future__ import annotations

import os
import threading
from collections import defaultdict

from django.db import connection
from django.utils import timezone

from chaos.steps import stop_at
from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects, subscribe, subscriptions
from events.delivery import lanes
from events.delivery.context import current_delivery
from events.delivery.draining import drain
from events.delivery.worker import Worker
from events.models import Lane
from events.store.configured import event_store
from tests.effects.models import Effect, leave_effect
from tests.factories import cart, items
from tests.processes import eventually

NAME = "tests.effects"
THREE_AT_ONCE = RetryPolicy(attempts=3, first_delay_seconds=0, max_delay_seconds=0)
STREAMS, EVENTS_A_STREAM = 3, 4
#: The event that some handlers have their trouble with: in the midst of its batch.
BAD = ("cart-2", 1)


def handle(event):
    leave_effect(event, note=current_delivery().idempotency_key)


def handle_list(events):
    for event in events:
        handle(event)


def fail_once(event):
    handle(event)
    if is_bad(event) and current_delivery().attempt == 1:
        raise ValueError("no good")


def end_process(event):
    handle(event)
    if is_bad(event):
        os._exit(1)


def leave_process(event):
    handle(event)
    if is_bad(event):
        raise SystemExit


def close_connection(event):
    handle(event)
    if is_bad(event):
        connection.close()


def end_session(event):
    handle(event)
    if is_bad(event):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def is_bad(event):
    return (event.aggregate_id, event.sequence_number) == BAD


MODES = {
    "events": {"batch_size": 1},
    "batches": {"batch_size": 5},
    "lists": {"batch_size": 5, "in_batches": True, "handler": handle_list},
    "external": {"effects": Effects.EXTERNAL},
}

STEPS_OF_SUCCESS = ["attempt counted", "effects written", "checkpoint written", "committed"]
STEPS_OF_FAILURE = ["failure written", "retry counted", "retry resolved"]


def subscribe_in(mode, **options):
    options = {"handler": handle, "name": NAME, "retry": THREE_AT_ONCE} | MODES[mode] | options
    return subscribe("*", options.pop("handler"), **options)


# --- in the worker's process ---


def work(mode, options):
    """Until nothing is left to do."""
    for subscription in list(subscriptions):  # those of the project's own apps
        subscriptions.remove(subscription.name)
    subscribe_in(mode, **options)
    worker = Worker()
    worker.run(idle_seconds=0.5)
    return worker.tally.handled


def work_until(step, reached, mode, options, go=None):
    """Up to the second time that the step comes, or the first failure; no further, unless it is
    told to go on. Its lease has no time beyond the handler's."""
    lanes.LEASE_MARGIN_SECONDS = 0

    def stop():
        reached.set()
        (go or threading.Event()).wait()

    stop_at(step, 1 if step in STEPS_OF_FAILURE else 2, stop)
    return work(mode, options)


# --- in the process of the test ---


def append_events():
    """Of all streams in turns."""
    store = event_store()
    for _ in range(EVENTS_A_STREAM):
        for number in range(1, STREAMS + 1):
            store.append(cart(number), items(1))


def take_over():
    """The rest is handled by another worker, which need not wait where the database can tell that
    the owner of a lease is gone."""
    if connection.vendor != "postgresql":
        assert drain(raise_errors=False).handled == 0
        let_leases_expire()
    eventually(lambda: not drain(raise_errors=False).handled and _is_at_the_end(), seconds=10)


def let_leases_expire():
    Lane.objects.update(leased_until=timezone.now() - timezone.timedelta(seconds=1))


def _is_at_the_end():
    mark = event_store().high_water_mark()
    return not Lane.objects.filter(position__lt=mark).exists()


def handled_by_stream(name=NAME):
    handled = defaultdict(list)
    rows = Effect.objects.filter(subscription=name).order_by("pk")
    for aggregate_id, number in rows.values_list("aggregate_id", "sequence_number"):
        handled[aggregate_id].append(number)
    return dict(handled)


ALL_ONCE_IN_ORDER = {
    f"cart-{number}": list(range(EVENTS_A_STREAM)) for number in range(1, STREAMS + 1)
}
