from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from tests.factories import item_added, item_removed

from .samples import FailingTimes, keep_busy


def numbers(counts):
    return {
        name: getattr(counts, name)
        for name in ("events_processed", "errors", "filtered", "retries", "timeouts")
        if getattr(counts, name)
    }


def test_a_bus_that_did_nothing_has_counted_nothing(bus):
    metrics = bus.metrics()
    assert numbers(metrics) == {}
    assert metrics.events_published == 0
    assert metrics.subscriptions == ()


def test_everything_is_counted_in_all_and_for_each_subscription(bus):
    bus.subscribe("*", lambda event: None, name="all", priority=4)
    bus.subscribe("tests.ItemAdded", FailingTimes(2), name="after two", retry=2, priority=3)
    bus.subscribe("*", FailingTimes(100), name="never", retry=1, priority=2)
    bus.subscribe("*", print, name="none", filter=lambda event: False, priority=1)
    bus.subscribe(
        "tests.ItemRemoved", lambda event: keep_busy(10), name="slow", timeout_seconds=0.02
    )

    bus.publish(item_added())
    bus.publish(item_removed())

    metrics = bus.metrics()
    assert metrics.events_published == 2
    assert {(each.name, each.pattern): numbers(each) for each in metrics.subscriptions} == {
        ("all", "*"): {"events_processed": 2},
        ("after two", "tests.ItemAdded"): {"events_processed": 1, "retries": 2},
        ("never", "*"): {"errors": 2, "retries": 2},
        ("none", "*"): {"filtered": 2},
        ("slow", "tests.ItemRemoved"): {"errors": 1, "timeouts": 1},
    }
    assert numbers(metrics) == {
        "events_processed": 3,
        "errors": 3,
        "filtered": 2,
        "retries": 4,
        "timeouts": 1,
    }


def test_the_time_of_attempts_is_added_up_without_the_pauses(bus):
    seconds = iter([0.02, 0.01])

    def handle(event):
        keep_busy(next(seconds))
        raise ValueError

    bus.subscribe("*", handle, retry=1)
    bus.publish(item_added())
    [metrics] = bus.metrics().subscriptions
    assert metrics.total_seconds >= 0.03
    assert 0.02 <= metrics.longest_attempt_seconds < metrics.total_seconds


def test_the_totals_keep_what_ended_subscriptions_did(bus):
    handle = bus.subscribe("*", lambda event: None)
    bus.publish(item_added())
    handle.unsubscribe()
    assert bus.metrics().events_processed == 1
    assert bus.metrics().subscriptions == ()


def test_a_snapshot_does_not_change(bus):
    bus.subscribe("*", lambda event: None)
    before = bus.metrics()
    bus.publish(item_added())
    assert before.events_published == 0
    assert before.subscriptions[0].events_processed == 0
    with pytest.raises(FrozenInstanceError):
        before.events_published = 5
