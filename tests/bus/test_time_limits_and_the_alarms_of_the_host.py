"""Limits in the main thread borrow SIGALRM; django-q2, for one, has a use for it as well."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager

import pytest

from events.bus.timeouts import run_within
from events.exceptions import HandlerTimeout

from .samples import keep_busy


class HostAlarm(BaseException):
    pass


@pytest.fixture
def alarms():
    """A host's handler of SIGALRM, which notes when it is called. Puts all back in the end."""
    moments: list[float] = []

    def on_alarm(signum, frame):
        moments.append(time.monotonic())

    previous = signal.signal(signal.SIGALRM, on_alarm)
    try:
        yield moments
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def raising_alarm(alarms):
    def on_alarm(signum, frame):
        raise HostAlarm

    signal.signal(signal.SIGALRM, on_alarm)
    return on_alarm


def time_out(seconds=0.01):
    with pytest.raises(HandlerTimeout):
        run_within(seconds, keep_busy, 10)


def end_in_time():
    run_within(10, keep_busy, 0.01)


def nest():
    run_within(10, time_out)


@pytest.mark.parametrize("use_limits", [end_in_time, time_out, nest])
def test_the_hosts_handler_and_the_rest_of_its_time_are_put_back(raising_alarm, use_limits):
    signal.setitimer(signal.ITIMER_REAL, 100, 7)
    before = time.monotonic()

    use_limits()

    remaining, interval = signal.getitimer(signal.ITIMER_REAL)
    assert signal.getsignal(signal.SIGALRM) is raising_alarm
    assert remaining == pytest.approx(100 - (time.monotonic() - before), abs=0.1)
    assert interval == pytest.approx(7)


@pytest.mark.parametrize("use_limits", [end_in_time, time_out, nest])
@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN])
def test_no_timer_is_left_where_there_was_none(alarms, handler, use_limits):
    signal.signal(signal.SIGALRM, handler)
    use_limits()
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("depth", [1, 3])
def test_the_hosts_alarm_comes_in_its_time_within_a_limit(raising_alarm, depth):
    def nested(levels):
        if levels == 0:
            return keep_busy(10)
        return run_within(10, nested, levels - 1)

    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    with pytest.raises(HostAlarm):
        nested(depth)

    assert time.monotonic() - started < 5
    assert signal.getsignal(signal.SIGALRM) is raising_alarm
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_limit_goes_on_after_an_alarm_that_the_host_only_notes(alarms):
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    with pytest.raises(HandlerTimeout):
        run_within(0.05, keep_busy, 10)
    assert len(alarms) == 1
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def wait_for(alarms, number):
    while len(alarms) < number:
        keep_busy(0.001)


def test_a_repeating_alarm_goes_on_within_limits_and_after_them(alarms):
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    run_within(60, wait_for, alarms, 3)
    run_within(60, run_within, 60, wait_for, alarms, 6)
    time_out()
    wait_for(alarms, len(alarms) + 3)
    assert signal.getitimer(signal.ITIMER_REAL)[1] == pytest.approx(0.005)


def test_a_timer_that_the_hosts_handler_sets_is_kept(alarms):
    def set_another(signum, frame):
        alarms.append(time.monotonic())
        if len(alarms) < 3:
            signal.setitimer(signal.ITIMER_REAL, 0.005)

    signal.signal(signal.SIGALRM, set_another)
    signal.setitimer(signal.ITIMER_REAL, 0.005)
    run_within(60, wait_for, alarms, 3)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_an_alarm_that_is_due_as_the_limit_ends_is_not_lost(alarms):
    # The host's time runs out together with that of the limit, again and again.
    for _ in range(200):
        alarms.clear()
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        with pytest.raises(HandlerTimeout):
            run_within(0.001, keep_busy, 10)
        keep_busy(0.0005)
        assert len(alarms) == 1


@contextmanager
def task_of_django_q(seconds):
    """As `django_q.timeout.TimeoutHandler` does it: whole seconds, and nothing is put back."""

    def on_alarm(signum, frame):
        raise HostAlarm

    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(seconds)
    yield on_alarm
    signal.alarm(0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.mark.usefixtures("alarms")
def test_a_task_of_django_q_keeps_its_own_limit():
    with task_of_django_q(60) as handler:
        time_out()
        end_in_time()
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 50 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60

        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(HostAlarm):
            run_within(10, keep_busy, 10)


def test_other_threads_leave_the_alarm_alone(raising_alarm):
    seen = []

    def handle():
        time_out()
        run_within(10, lambda: seen.append(signal.getsignal(signal.SIGALRM)))

    signal.setitimer(signal.ITIMER_REAL, 100)
    thread = threading.Thread(target=handle)
    thread.start()
    thread.join()
    assert seen == [raising_alarm]
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 90
