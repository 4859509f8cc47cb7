"""Where the events of a subscription come from: the log, or what its queue has brought."""

from __future__ import annotations

from ..bus.subscription import subscriptions
from ..store.configured import event_store
from ..store.source import EventSource


def source_of(subscription: str) -> EventSource:
    """By its name. Of one without code, the log."""
    found = subscriptions.find(subscription)
    if found is None or found.queue is None:
        return event_store()
    from ..rabbitmq.received import ReceivedEvents

    return ReceivedEvents(subscription)
