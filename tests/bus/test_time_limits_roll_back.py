"""What a handler wrote before its time was up is not stored, and the connection is fit for use."""

from __future__ import annotations

import time

import pytest
from django.db import connection, transaction

from events.bus.timeouts import run_within
from events.exceptions import HandlerTimeout
from events.store.configured import event_store
from tests.factories import cart, item_added

from .samples import in_new_thread, keep_busy


def append_in_a_transaction(wait, *, seconds: float = 0.05) -> None:
    def handle():
        event_store().append(cart(), [item_added()])
        wait()

    with transaction.atomic():
        run_within(seconds, handle)


def sleep_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_the_transaction_around_the_handler_is_rolled_back():
    with pytest.raises(HandlerTimeout):
        append_in_a_transaction(lambda: keep_busy(10))
    assert event_store().stream_version(cart()) == -1

    append_in_a_transaction(lambda: None, seconds=10)
    assert event_store().stream_version(cart()) == 0


@pytest.mark.django_db(transaction=True)
def test_a_transaction_within_the_handler_is_rolled_back():
    with pytest.raises(HandlerTimeout):
        run_within(0.05, append_in_a_transaction, lambda: keep_busy(10), seconds=10)
    assert event_store().stream_version(cart()) == -1


@pytest.mark.django_db
def test_only_the_handler_is_rolled_back_inside_of_a_larger_transaction():
    event_store().append(cart("before"), [item_added()])
    with pytest.raises(HandlerTimeout):
        append_in_a_transaction(lambda: keep_busy(10))
    assert event_store().stream_version(cart()) == -1
    assert event_store().stream_version(cart("before")) == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_statement_that_runs_too_long_is_cancelled_on_the_server():
    process = server_process()
    started = time.monotonic()
    with pytest.raises(HandlerTimeout):
        append_in_a_transaction(sleep_in_the_database)
    assert time.monotonic() - started < 10
    assert event_store().stream_version(cart()) == -1
    assert server_process() == process


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_transaction_of_another_thread_is_rolled_back():
    def handle():
        try:
            with pytest.raises(HandlerTimeout):
                append_in_a_transaction(lambda: keep_busy(10))
            return event_store().stream_version(cart())
        finally:
            connection.close()

    assert in_new_thread(handle) == -1
