from __future__ import annotations

import pytest

from events.bus.memory import OutcomeStatus
from events.context import current_context, message_context
from events.exceptions import InvalidInput
from events.messages import DomainEvent
from events.streams import StreamName
from tests.factories import ItemAdded, item_added, item_removed

from .samples import recorded


def test_an_event_is_handed_to_the_handlers_of_its_type(bus):
    added, removed = [], []
    bus.subscribe("tests.ItemAdded", added.append)
    bus.subscribe("tests.ItemRemoved", removed.append)
    event = item_added()

    result = bus.publish(event)

    assert (added, removed) == ([event], [])
    assert result.event is event
    assert [outcome.status for outcome in result.outcomes] == [OutcomeStatus.HANDLED]


@pytest.mark.parametrize(
    "pattern", [ItemAdded, "tests.ItemAdded", "Cart.*", "Cart.tests.ItemAdded", "*"]
)
def test_recorded_events_are_matched_by_every_kind_of_pattern(bus, pattern):
    handled = []
    bus.subscribe(pattern, handled.append)
    event = recorded(item_added(), StreamName("Cart", "1"))
    bus.publish(event)
    bus.publish(recorded(item_removed(), StreamName("WishList", "1")))
    assert handled[0] is event
    assert len(handled) == (2 if pattern == "*" else 1)


def test_handlers_run_by_priority_and_then_in_the_order_of_subscription(bus):
    order = []
    for name, priority in [("a", 0), ("b", 10), ("c", 0), ("d", -5), ("e", 10)]:
        bus.subscribe("*", lambda event, name=name: order.append(name), priority=priority)
    bus.publish(item_added())
    assert order == ["b", "e", "a", "c", "d"]


def test_the_outcomes_are_in_the_order_of_handling(bus):
    bus.subscribe("*", print, priority=1, name="second", filter=lambda event: False)
    bus.subscribe(ItemAdded, lambda event: None, priority=2, name="first")
    result = bus.publish(item_added())
    assert [(each.subscription.name, each.status.value) for each in result.outcomes] == [
        ("first", "handled"),
        ("second", "filtered"),
    ]


def test_an_event_without_subscribers_is_nobodys_failure(bus):
    result = bus.publish(item_added())
    assert result.outcomes == ()
    result.raise_for_failures()


def test_the_bus_keeps_its_handlers_alive(bus):
    handled = []

    class Projection:
        def handle(self, event):
            handled.append(event)

    bus.subscribe("*", Projection().handle)
    bus.subscribe("*", lambda event: handled.append(event.name))
    bus.publish(item_added())
    assert len(handled) == 2


def test_a_subscription_says_what_it_is(bus):
    def send_welcome_email(event):
        pass

    subscription = bus.subscribe(ItemAdded, send_welcome_email, priority=3, timeout_seconds=None)
    assert subscription.name.endswith("send_welcome_email")
    assert str(subscription.pattern) == "tests.ItemAdded"
    assert subscription.priority == 3
    assert subscription.timeout_seconds is None
    assert bus.subscribe("*", print, name="log").timeout_seconds == 5.0


def test_a_handler_works_in_the_context_of_its_event(bus):
    contexts = []
    bus.subscribe("*", lambda event: contexts.append(current_context()))
    event = item_added(metadata={"correlation_id": "conversation", "user_id": "ann"})

    with message_context(correlation_id="another", causation_id="command"):
        bus.publish(event)
        outside = current_context()

    [inside] = contexts
    assert inside.correlation_id == "conversation"
    assert inside.causation_id == str(event.event_id)
    assert inside.user_id == "ann"
    assert outside.correlation_id == "another"


@pytest.mark.parametrize("event", [None, {"event_type": "x"}, "tests.ItemAdded", DomainEvent()])
def test_only_events_can_be_published(bus, event):
    with pytest.raises(InvalidInput) as refusal:
        bus.publish(event)
    assert refusal.value.field == "event"


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("pattern", {"pattern": "no pattern"}),
        ("handler", {"handler": None}),
        ("priority", {"priority": "high"}),
        ("priority", {"priority": True}),
        ("retry", {"retry": -1}),
        ("retry", {"retry": 1.5}),
        ("retry", {"retry": True}),
        ("timeout_seconds", {"timeout_seconds": 0}),
        ("timeout_seconds", {"timeout_seconds": "5"}),
        ("filter", {"filter": "Order"}),
    ],
)
def test_a_wrong_argument_of_subscribe_is_refused_by_name(bus, field, arguments):
    with pytest.raises(InvalidInput) as refusal:
        bus.subscribe(**{"pattern": "*", "handler": print} | arguments)
    assert refusal.value.field == field


def test_middleware_and_error_handlers_must_be_callable(bus):
    with pytest.raises(InvalidInput, match="middleware"):
        bus.use("log")
    with pytest.raises(InvalidInput, match="handler"):
        bus.on_error(None)
