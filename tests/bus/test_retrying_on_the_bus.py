from __future__ import annotations

import pytest

from events.bus.memory import InMemoryEventBus, OutcomeStatus
from events.bus.retry import RetryPolicy
from events.bus.timeouts import run_within
from events.exceptions import HandlerTimeout
from tests.factories import item_added

from .samples import FailingTimes, keep_busy


def test_a_handler_that_fails_is_called_once_by_default(bus, pauses):
    handler = FailingTimes(1)
    bus.subscribe("*", handler)
    [outcome] = bus.publish(item_added()).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert (outcome.attempts, handler.handled, pauses) == (1, [], [])


def test_a_handler_is_tried_again_after_longer_and_longer_pauses(bus, pauses):
    handler = FailingTimes(3)
    bus.subscribe("*", handler, retry=3)
    [outcome] = bus.publish(item_added()).outcomes
    assert outcome.status is OutcomeStatus.HANDLED
    assert outcome.attempts == 4
    assert outcome.exception is None
    assert len(handler.handled) == 1
    assert pauses == pytest.approx([0.1, 0.2, 0.4])


def test_what_no_attempt_can_help_is_not_tried_again(bus, pauses):
    bus.subscribe("*", FailingTimes(10), retry=RetryPolicy(never_for=(ValueError,)))
    [outcome] = bus.publish(item_added()).outcomes
    assert (outcome.attempts, pauses) == (1, [])


def test_the_last_failure_is_the_one_that_is_reported(bus, pauses):
    bus.subscribe("*", FailingTimes(10), retry=2)
    [outcome] = bus.publish(item_added()).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert outcome.attempts == 3
    assert str(outcome.exception) == "7 more"
    assert len(pauses) == 2


def test_a_policy_says_how_often_and_how_long(bus, pauses):
    policy = RetryPolicy(attempts=5, first_delay_seconds=1, factor=3, max_delay_seconds=5)
    bus.subscribe("*", FailingTimes(10), retry=policy)
    [outcome] = bus.publish(item_added()).outcomes
    assert outcome.attempts == 5
    assert pauses == [1, 3, 5, 5]


def test_pauses_are_jittered(pauses):
    bus = InMemoryEventBus(sleep=pauses, uniform=lambda least, most: (least + most) / 2)
    bus.subscribe("*", FailingTimes(1), retry=1)
    bus.publish(item_added())
    assert pauses == pytest.approx([0.05])


def test_the_retries_of_one_come_before_the_next(bus):
    order = []

    def failing(event):
        order.append("first")
        raise ValueError

    bus.subscribe("*", failing, priority=1, retry=2)
    bus.subscribe("*", lambda event: order.append("second"))
    bus.publish(item_added())
    assert order == ["first", "first", "first", "second"]


def test_a_handler_that_takes_too_long_is_interrupted_and_tried_again(bus, pauses):
    finished = []
    seconds = iter([10, 10, 0])

    def handle(event):
        keep_busy(next(seconds))
        finished.append(event)

    bus.subscribe("*", handle, retry=2, timeout_seconds=0.02)
    [outcome] = bus.publish(item_added()).outcomes
    assert outcome.status is OutcomeStatus.HANDLED
    assert outcome.attempts == 3
    assert len(finished) == 1


def test_a_handler_that_takes_too_long_to_the_end_has_failed(bus):
    bus.subscribe("*", lambda event: keep_busy(10), timeout_seconds=0.02)
    [outcome] = bus.publish(item_added()).outcomes
    assert isinstance(outcome.exception, HandlerTimeout)


def test_a_limit_around_the_bus_is_not_taken_for_a_failed_attempt(bus):
    calls = []

    def handle(event):
        calls.append(event)
        keep_busy(10)

    bus.subscribe("*", handle, retry=5, timeout_seconds=10)
    with pytest.raises(HandlerTimeout) as timeout:
        run_within(0.03, bus.publish, item_added())
    assert timeout.value.seconds == 0.03
    assert len(calls) == 1
