from __future__ import annotations

from dataclasses import replace

import pytest

from events.bus.memory import OutcomeStatus
from events.exceptions import HandlerTimeout, InvalidInput
from tests.factories import ItemAdded, item_added, item_removed

from .samples import FailingTimes, keep_busy, recorded


def renaming(suffix):
    return lambda event: replace(event, name=event.name + suffix)


def test_middleware_changes_what_handlers_get_in_the_order_of_use(bus):
    handled = []
    bus.use(renaming("-a"))
    bus.use(renaming("-b"))
    bus.subscribe("*", handled.append)
    event = item_added(name="pen")
    result = bus.publish(event)
    assert [each.name for each in handled] == ["pen-a-b"]
    assert result.event is event


def test_recorded_events_can_be_changed_too(bus):
    handled = []
    bus.use(lambda event: replace(event, metadata={**event.metadata, "tenant": "acme"}))
    bus.subscribe("*", handled.append)
    bus.publish(recorded())
    assert handled[0].metadata["tenant"] == "acme"
    assert isinstance(handled[0].event, ItemAdded)


def test_middleware_runs_once_for_all_subscriptions(bus):
    seen = []
    bus.use(lambda event: seen.append(event) or event)
    for _ in range(3):
        bus.subscribe("*", lambda event: None)
    bus.publish(item_added())
    assert len(seen) == 1


def test_subscriptions_are_chosen_by_the_event_as_it_was_published(bus):
    handled = []
    bus.use(lambda event: item_removed())
    bus.subscribe("tests.ItemAdded", handled.append)
    bus.subscribe("tests.ItemRemoved", print)
    result = bus.publish(item_added())
    assert [event.event_type for event in handled] == ["tests.ItemRemoved"]
    assert len(result.outcomes) == 1


def test_middleware_that_raises_is_a_failed_attempt_of_every_subscription(bus, pauses):
    handled = []
    bus.use(FailingTimes(100))
    bus.subscribe("*", handled.append, retry=2)
    bus.subscribe("*", handled.append)
    result = bus.publish(item_added())
    assert [(each.status, each.attempts) for each in result.outcomes] == [
        (OutcomeStatus.FAILED, 3),
        (OutcomeStatus.FAILED, 1),
    ]
    assert all(isinstance(each.exception, ValueError) for each in result.outcomes)
    assert handled == []
    assert len(pauses) == 2


def test_middleware_is_run_again_with_the_next_attempt(bus):
    handled, failing = [], FailingTimes(1)

    def middleware(event):
        failing(event)
        return event

    bus.use(middleware)
    bus.subscribe("*", handled.append, retry=1)
    bus.subscribe("*", handled.append)
    assert [each.attempts for each in bus.publish(item_added()).outcomes] == [2, 1]
    assert len(handled) == 2


@pytest.mark.parametrize("returned", [None, True, {"event_type": "x"}])
def test_middleware_must_return_an_event(bus, returned):
    def forgetful(event):
        return returned

    bus.use(forgetful)
    bus.subscribe("*", print)
    [outcome] = bus.publish(item_added()).outcomes
    assert isinstance(outcome.exception, InvalidInput)
    assert "forgetful" in str(outcome.exception)


def test_middleware_has_the_time_of_the_subscription(bus):
    bus.use(lambda event: keep_busy(10))
    bus.subscribe("*", print, timeout_seconds=0.02)
    [outcome] = bus.publish(item_added()).outcomes
    assert isinstance(outcome.exception, HandlerTimeout)


def test_a_filter_keeps_events_from_the_handler(bus):
    handled = []
    bus.subscribe("*", handled.append, filter=lambda event: event.quantity > 1)
    outcomes = [
        outcome.status
        for quantity in (1, 2)
        for outcome in bus.publish(item_added(quantity=quantity)).outcomes
    ]
    assert outcomes == [OutcomeStatus.FILTERED, OutcomeStatus.HANDLED]
    assert [event.quantity for event in handled] == [2]


def test_a_filter_sees_what_middleware_made_of_the_event(bus):
    bus.use(renaming("-checked"))
    bus.subscribe("*", lambda event: None, filter=lambda event: event.name == "pen-checked")
    [outcome] = bus.publish(item_added(name="pen")).outcomes
    assert outcome.status is OutcomeStatus.HANDLED


def test_a_filter_that_raises_is_a_failed_attempt_of_its_subscription_only(bus, pauses):
    handled = []
    bus.subscribe("*", handled.append, filter=FailingTimes(100), retry=1, priority=1)
    bus.subscribe("*", handled.append)
    first, second = bus.publish(item_added()).outcomes
    assert (first.status, first.attempts) == (OutcomeStatus.FAILED, 2)
    assert second.status is OutcomeStatus.HANDLED
    assert len(handled) == 1
