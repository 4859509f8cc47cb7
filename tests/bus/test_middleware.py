from __future__ import annotations

from events.bus.memory import InMemoryEventBus
from events.bus.middleware import log_event, with_correlation_id
from events.context import message_context
from tests.factories import item_added


def published(event):
    seen = []
    bus = InMemoryEventBus()
    bus.use(with_correlation_id)
    bus.use(log_event)
    bus.subscribe("*", seen.append)
    bus.publish(event)
    [handled] = seen
    return handled


def test_an_event_keeps_its_correlation_id():
    event = item_added(metadata={"correlation_id": "c-1"})

    assert published(event) is event


def test_an_event_without_one_gets_that_of_the_conversation():
    event = item_added(metadata={"note": "kept"})
    with message_context(correlation_id="c-2"):
        handled = published(event)

    assert handled.metadata == {"note": "kept", "correlation_id": "c-2"}
    assert handled.event_id == event.event_id
    assert event.metadata == {"note": "kept"}


def test_or_a_new_one():
    assert published(item_added()).metadata["correlation_id"]


def test_each_event_is_logged_without_its_data(caplog):
    caplog.set_level("INFO", logger="events.bus.middleware")
    event = item_added(name="secret", metadata={"correlation_id": "c-1"})
    published(event)

    assert [record.args for record in caplog.records] == [
        ("tests.ItemAdded", event.event_id, "c-1")
    ]
