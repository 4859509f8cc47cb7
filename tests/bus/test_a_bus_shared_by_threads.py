from __future__ import annotations

import sys
import threading

import pytest

from tests.factories import item_added


@pytest.fixture
def _hasty_switches():
    """Python changes threads much more often than it would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_hasty_switches")
def test_threads_can_publish_and_change_subscriptions_at_the_same_time(bus):
    handled, errors = [], []
    bus.subscribe("*", handled.append, name="permanent", timeout_seconds=None)

    def publish():
        for _ in range(200):
            result = bus.publish(item_added())
            if result.failures or result.outcomes[-1].subscription.name != "permanent":
                errors.append(result)

    def change():
        for _ in range(200):
            bus.subscribe("*", lambda event: None, priority=1, timeout_seconds=None).unsubscribe()
            bus.subscribe("*", print, priority=1, filter=lambda event: False, timeout_seconds=None)
            bus.unsubscribe("*", print)
            bus.metrics()

    threads = [threading.Thread(target=each) for each in (publish, publish, change, change)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(handled) == 400
    metrics = bus.metrics()
    assert metrics.events_published == 400
    assert [(each.name, each.events_processed) for each in metrics.subscriptions] == [
        ("permanent", 400)
    ]
