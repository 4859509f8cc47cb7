from __future__ import annotations

from tests.factories import item_added, item_removed

from .samples import FailingTimes


def test_an_event_published_by_a_handler_is_handled_before_that_handler_goes_on(bus):
    order = []

    def first(event):
        order.append("first begins")
        bus.publish(item_removed())
        order.append("first ends")

    bus.subscribe("tests.ItemAdded", first, priority=1)
    bus.subscribe("tests.ItemAdded", lambda event: order.append("second"))
    bus.subscribe("tests.ItemRemoved", lambda event: order.append("inner"))
    bus.publish(item_added())
    assert order == ["first begins", "inner", "first ends", "second"]


def test_the_handler_that_publishes_decides_what_a_failure_means(bus):
    bus.subscribe("tests.ItemRemoved", FailingTimes(100), name="inner")
    bus.subscribe("tests.ItemAdded", lambda event: bus.publish(item_removed()), name="careless")
    bus.subscribe(
        "tests.ItemAdded",
        lambda event: bus.publish(item_removed()).raise_for_failures(),
        name="careful",
    )
    result = bus.publish(item_added())
    assert [each.subscription.name for each in result.failures] == ["careful"]
    assert isinstance(result.failures[0].exception, ExceptionGroup)
