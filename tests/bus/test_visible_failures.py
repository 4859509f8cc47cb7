from __future__ import annotations

import pytest

from tests.factories import item_added

from .samples import FailingTimes


def failing_with(error):
    def handler(*arguments):
        raise error

    return handler


def test_a_failure_stops_neither_the_other_handlers_nor_the_caller(bus):
    handled = []
    bus.subscribe("*", failing_with(ValueError("broken")), priority=1, name="broken")
    bus.subscribe("*", handled.append)
    result = bus.publish(item_added())
    assert len(handled) == 1
    assert [each.subscription.name for each in result.failures] == ["broken"]
    assert str(result.failures[0].exception) == "broken"


def test_the_caller_can_have_all_failures_raised_together(bus):
    errors = [ValueError("first"), KeyError("second")]
    bus.subscribe("*", failing_with(errors[0]), name="send_email")
    bus.subscribe("*", lambda event: None)
    bus.subscribe("*", failing_with(errors[1]), name="create_profile")
    result = bus.publish(item_added())
    with pytest.raises(ExceptionGroup) as group:
        result.raise_for_failures()
    assert list(group.value.exceptions) == errors
    for word in ("tests.ItemAdded", "2 of 3", "send_email, create_profile"):
        assert word in group.value.message


def test_error_handlers_get_the_error_the_event_and_the_subscription(bus):
    calls = []
    error = ValueError("broken")
    bus.on_error(lambda *arguments: calls.append(arguments))
    bus.on_error(lambda *arguments: calls.append(arguments))
    subscription = bus.subscribe("*", failing_with(error))
    event = item_added()
    bus.publish(event)
    assert calls == [(error, event, subscription)] * 2


def test_error_handlers_are_called_after_the_last_attempt_only(bus):
    calls = []
    bus.on_error(lambda *arguments: calls.append(arguments))
    bus.subscribe("*", FailingTimes(2), retry=2)
    bus.subscribe("*", FailingTimes(3), retry=2)
    bus.publish(item_added())
    assert len(calls) == 1


def test_error_handlers_get_the_event_that_the_handler_got(bus):
    seen = []
    changed = item_added(name="changed")
    bus.use(lambda event: changed)
    bus.on_error(lambda error, event, subscription: seen.append(event))
    bus.subscribe("*", failing_with(ValueError()))
    bus.publish(item_added())
    assert seen == [changed]


def test_error_handlers_get_the_event_that_middleware_failed_on(bus):
    seen = []
    event = item_added()
    bus.use(failing_with(ValueError()))
    bus.on_error(lambda error, event, subscription: seen.append(event))
    bus.subscribe("*", print)
    bus.publish(event)
    assert seen == [event]


def test_an_error_handler_that_fails_hides_neither_the_error_nor_the_other_error_handlers(bus):
    error, another, calls = ValueError("broken"), RuntimeError("monitoring is down"), []
    bus.on_error(failing_with(another))
    bus.on_error(lambda *arguments: calls.append(arguments))
    bus.subscribe("*", failing_with(error))
    result = bus.publish(item_added())
    [outcome] = result.outcomes
    assert outcome.exception is error
    assert outcome.error_handler_exceptions == (another,)
    assert len(calls) == 1
    with pytest.raises(ExceptionGroup) as group:
        result.raise_for_failures()
    assert group.value.exceptions == (error, another)


def test_failures_of_handlers_and_of_error_handlers_are_logged(bus, caplog):
    error, another = ValueError("broken"), RuntimeError("monitoring is down")
    bus.on_error(failing_with(another))
    bus.subscribe("*", failing_with(error))
    bus.publish(item_added())
    assert [record.exc_info[1] for record in caplog.records] == [error, another]


def test_what_ends_the_process_is_not_held_back(bus):
    bus.subscribe("*", failing_with(KeyboardInterrupt()), retry=3)
    with pytest.raises(KeyboardInterrupt):
        bus.publish(item_added())


def test_a_stop_iteration_is_a_failure_like_any_other(bus):
    bus.subscribe("*", lambda event: next(iter([])), name="takes the first of none")
    [failure] = bus.publish(item_added()).failures
    assert isinstance(failure.exception.__cause__, StopIteration)
