"""Wake-ups that are lost, repeated, late or out of order cost time and nothing else."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F

from events.delivery import djangoq, wake_ups
from events.models import WakeUp
from events.store.configured import event_store
from tests.delivery.workers import handled_by_stream, subscribe_in
from tests.factories import cart, items
from tests.processes import eventually, new_event, run_at_once, running

pytestmark = pytest.mark.django_db(transaction=True)

asked: list[bool] = []


def ask():
    asked.append(True)


@pytest.fixture(autouse=True)
def counted_requests(settings, monkeypatch):
    settings.EVENTS = settings.EVENTS | {"wake_up": f"{__name__}.ask"}
    monkeypatch.setattr(djangoq, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(wake_ups, "IDLE_SECONDS", 0.1)
    asked.clear()
    yield
    # Its connection would keep the test database from being dropped.
    eventually(lambda: "events-wake-ups" not in {each.name for each in threading.enumerate()})


def append(number=1):
    event_store().append(cart(number), items(1))


def task(linger_seconds=0.2):
    djangoq.LINGER_SECONDS = linger_seconds
    subscribe_in("batches")
    return djangoq.drain()


def let_time_pass(seconds):
    WakeUp.objects.update(requested_at=F("requested_at") - timedelta(seconds=seconds))


def test_many_appends_ask_once():
    for _ in range(20):
        append()
    eventually(lambda: asked)

    wake_ups.request()

    assert asked == [True]


def test_a_request_that_nobody_answers_is_made_again():
    assert wake_ups.request()
    let_time_pass(wake_ups.LOST_AFTER_SECONDS - 10)
    assert not wake_ups.request()
    let_time_pass(11)

    append()

    eventually(lambda: len(asked) == 2)


def test_nobody_is_asked_for_while_one_is_awake_and_somebody_as_soon_as_he_sleeps():
    wake_ups.stay_awake(60)
    assert not wake_ups.request()
    wake_ups.fall_asleep()
    assert wake_ups.request()


def test_one_who_dies_awake_is_missed_when_his_time_is_over():
    wake_ups.stay_awake(-1)

    assert wake_ups.request()


def test_a_task_that_comes_late_finds_what_is_there():
    subscribe_in("batches")
    append()
    eventually(lambda: asked)
    append()

    assert djangoq.drain() == "2 handled, 0 failed"
    assert djangoq.drain() == "0 handled, 0 failed"
    assert not WakeUp.objects.exists()


def test_tasks_that_come_at_once_handle_each_event_once():
    for number in (1, 2, 3, 1, 2, 3):
        append(number)

    told = run_at_once([task, task, task])

    assert handled_by_stream() == {f"cart-{number}": [0, 1] for number in (1, 2, 3)}
    assert sorted(told) == ["0 handled, 0 failed"] * 2 + ["6 handled, 0 failed"]


def test_what_is_appended_while_a_task_falls_asleep_is_handled(monkeypatch):
    """By it, because the append was told that somebody is awake."""
    subscribe_in("batches")
    fall_asleep = wake_ups.fall_asleep

    def append_and_fall_asleep():
        append()
        assert not wake_ups.request()
        fall_asleep()

    monkeypatch.setattr(wake_ups, "fall_asleep", append_and_fall_asleep)

    assert djangoq.drain() == "1 handled, 0 failed"


@pytest.mark.postgresql
def test_what_is_behind_an_append_that_is_rolled_back_is_handled():
    """Which holds readers back, and asks for nobody in the end."""
    subscribe_in("batches")
    drawn, go = new_event(), new_event()
    with running(append_and_roll_back, drawn, go) as other:
        assert drawn.wait(20)
        append(2)
        eventually(lambda: asked)

        assert djangoq.drain() == "0 handled, 0 failed"
        assert len(asked) == 2
        go.set()
        other.result()

    assert djangoq.drain() == "1 handled, 0 failed"
    assert len(asked) == 2


def append_and_roll_back(drawn, go):
    with transaction.atomic():
        append()
        drawn.set()
        go.wait()
        transaction.set_rollback(True)
