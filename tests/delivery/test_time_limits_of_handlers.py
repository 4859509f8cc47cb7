"""A handler that takes too long is cut off, and its transaction with it, in any thread."""

from __future__ import annotations

import threading
import time
from time import monotonic

import pytest
from django.db import connection, connections, transaction

from events.delivery.draining import drain
from events.models import FailedEvent, Lane
from events.store.configured import event_store
from tests.delivery.workers import (
    ALL_ONCE_IN_ORDER,
    BAD,
    append_events,
    handle,
    handled_by_stream,
    is_bad,
    subscribe_in,
)
from tests.effects.models import Effect
from tests.factories import cart, items

pytestmark = pytest.mark.django_db(transaction=True)


def in_this_thread(function):
    function()


def in_another_thread(function):
    def run():
        try:
            function()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def sleep_in_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")


def sleep_in_a_transaction():
    with transaction.atomic():
        Effect.objects.update(note="touched")
        for _ in range(400):  # outside of the main thread, one long sleep can't be cut short
            time.sleep(0.05)


@pytest.mark.parametrize("run", [in_this_thread, in_another_thread])
@pytest.mark.parametrize(
    ("mode", "linger"),
    [
        ("events", sleep_in_a_transaction),
        ("batches", sleep_in_a_transaction),
        pytest.param("events", sleep_in_the_database, marks=pytest.mark.postgresql),
    ],
)
def test_nothing_remains_of_an_attempt_that_takes_too_long(run, mode, linger):
    def handler(event):
        handle(event)
        if is_bad(event):
            linger()

    append_events()
    subscribe_in(mode, handler=handler, timeout_seconds=0.2)
    started = monotonic()

    run(lambda: drain(retries=True, raise_errors=False))

    assert monotonic() - started < 10
    stream, number = BAD
    assert handled_by_stream() == ALL_ONCE_IN_ORDER | {stream: list(range(number))}
    assert not Effect.objects.filter(note="touched").exists()
    row = FailedEvent.objects.get()
    assert (row.status, row.attempts) == ("dead", 3)
    assert Lane.objects.get().timeouts == 3


@pytest.mark.postgresql
def test_no_limit_of_statements_remains_after_the_handler():
    subscribe_in("events", timeout_seconds=5)
    event_store().append(cart(1), items(1))

    with connection.cursor() as cursor:
        in_another_thread(drain)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
