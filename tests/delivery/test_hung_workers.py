"""A worker hangs: others take over when its lease ends, and it commits nothing any more."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from django.db import connection
from django.db.models.functions import Now

from events.delivery.draining import drain
from events.models import FailedEvent, Lane
from tests.delivery.workers import (
    ALL_ONCE_IN_ORDER,
    append_events,
    handle,
    handled_by_stream,
    let_leases_expire,
    subscribe_in,
    work_until,
)
from tests.effects.models import Effect
from tests.processes import eventually, new_event, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.postgresql  # a transaction that hangs is all of SQLite that hangs
@pytest.mark.parametrize("mode", ["events", "batches", "lists"])
def test_a_worker_that_wakes_up_after_its_lease_commits_nothing(mode):
    append_events()
    reached, go = new_event(), new_event()
    with running(work_until, "attempt counted", reached, mode, {}, go) as hung:
        assert reached.wait(20)
        os.kill(hung.pid, signal.SIGSTOP)
        subscribe_in(mode)
        assert drain(raise_errors=False).handled == 0  # it still has its lease
        let_leases_expire()
        drain(retries=True, raise_errors=False)
        handled = list(Effect.objects.order_by("pk").values_list("pk", flat=True))

        os.kill(hung.pid, signal.SIGCONT)
        go.set()
        hung.result()

    assert handled_by_stream() == ALL_ONCE_IN_ORDER
    assert list(Effect.objects.order_by("pk").values_list("pk", flat=True)) == handled
    assert not FailedEvent.objects.exists()
    assert Lane.objects.get().token is None


def test_an_effect_elsewhere_is_had_twice_then_but_checked_off_once():
    append_events()
    reached, go = new_event(), new_event()
    with running(work_until, "attempt counted", reached, "external", {}, go) as hung:
        assert reached.wait(20)
        let_leases_expire()
        subscribe_in("external")
        drain(retries=True, raise_errors=False)
        go.set()
        hung.result()

    by_key = Counter(Effect.objects.values_list("note", flat=True))
    assert sorted(by_key.values()) == [1] * 11 + [2]
    assert Lane.objects.get().handled == 12
    assert not FailedEvent.objects.exists()


@pytest.mark.postgresql
def test_nor_does_it_record_a_failure():
    append_events()
    reached, go = new_event(), new_event()
    options = {"handler": hang_and_fail}
    with running(work_until, "attempt counted", reached, "events", options, go) as hung:
        assert reached.wait(20)
        let_leases_expire()
        subscribe_in("events")
        drain(retries=True, raise_errors=False)

        go.set()
        hung.result()

    assert handled_by_stream() == ALL_ONCE_IN_ORDER
    assert not FailedEvent.objects.exists()


def hang_and_fail(event):
    handle(event)
    if event.aggregate_id == "cart-2":
        raise ValueError("too late")


@pytest.mark.postgresql
def test_a_worker_that_hangs_before_its_commit_holds_up_no_other_lane():
    append_events()
    reached = new_event()
    options = {"timeout_seconds": 0.5}
    with running(work_until, "checkpoint written", reached, "events", options) as hung:
        assert reached.wait(20)
        eventually(Lane.objects.filter(leased_until__lt=Now()).exists)
        subscribe_in("events", priority=1)  # of which it holds the row's lock
        subscribe_in("events", name="other")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")

        drain()

        assert handled_by_stream("other") == ALL_ONCE_IN_ORDER
        assert hung.is_running
