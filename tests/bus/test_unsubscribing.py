from __future__ import annotations

import pytest

from tests.factories import ItemAdded, item_added

from .samples import FailingTimes


class Handler:
    def __init__(self):
        self.handled = []

    def handle(self, event):
        self.handled.append(event)


@pytest.mark.parametrize(
    "end", [lambda handle: handle.unsubscribe(), lambda handle: handle()], ids=["method", "call"]
)
def test_a_handle_ends_its_own_subscription_and_no_other(bus, end):
    order = []
    handles = [
        bus.subscribe("*", lambda event, name=name: order.append(name)) for name in ("a", "b", "c")
    ]
    end(handles[1])
    bus.publish(item_added())
    assert order == ["a", "c"]


def test_a_handle_ends_one_of_two_equal_subscriptions(bus):
    handler = Handler()
    bus.subscribe("*", handler.handle, name="kept")
    bus.subscribe("*", handler.handle).unsubscribe()
    [outcome] = bus.publish(item_added()).outcomes
    assert outcome.subscription.name == "kept"


def test_ending_a_subscription_twice_does_nothing(bus):
    handle = bus.subscribe("*", print)
    handle.unsubscribe()
    kept = bus.subscribe("*", lambda event: None)
    handle.unsubscribe()
    assert [each.subscription for each in bus.publish(item_added()).outcomes] == [kept]


def test_a_handler_can_be_unsubscribed_by_pattern(bus):
    handler = Handler()
    bus.subscribe("*", handler.handle)
    bus.subscribe("tests.ItemAdded", handler.handle)
    bus.subscribe(ItemAdded, handler.handle)

    # Not the same object as the one that was subscribed: each access makes a new bound method.
    assert bus.unsubscribe(ItemAdded, handler.handle) is True
    assert bus.unsubscribe(ItemAdded, handler.handle) is False
    assert bus.unsubscribe("*", print) is False

    bus.publish(item_added())
    assert len(handler.handled) == 1


def test_whoever_was_subscribed_when_the_event_was_published_gets_it(bus):
    order = []

    def first(event):
        order.append("first")
        second.unsubscribe()
        bus.subscribe("*", lambda event: order.append("new"))

    bus.subscribe("*", first, priority=1)
    second = bus.subscribe("*", lambda event: order.append("second"))
    bus.publish(item_added())
    assert order == ["first", "second"]
    bus.publish(item_added())
    assert order == ["first", "second", "first", "new"]


def test_clear_forgets_everything(bus):
    calls = []
    bus.use(lambda event: calls.append("middleware") or event)
    bus.on_error(lambda *arguments: calls.append("error"))
    handle = bus.subscribe("*", FailingTimes(1))
    bus.publish(item_added())
    assert calls == ["middleware", "error"]
    bus.clear()
    calls.clear()

    bus.publish(item_added())
    handle.unsubscribe()
    bus.subscribe("*", FailingTimes(1))
    bus.publish(item_added())

    assert calls == []
    assert bus.metrics().events_published == 2
    assert bus.metrics().errors == 1
