"""The relay: a durable subscription that publishes the log to the exchange.

Any worker runs it. It is at least once: what was published and confirmed, but not yet noted in the
checkpoint, is published again after a crash, under the same message ids.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..bus.retry import RetryPolicy
from ..bus.subscription import Delivery, Effects, Start, Subscription, subscribe
from ..exceptions import InvalidInput, MessageRefused
from ..recorded_event import RecordedEvent
from .conf import RabbitMQSettings, rabbitmq_settings
from .layout import event_topology
from .messages import message_of
from .publishing import Publisher

RELAY = "rabbitmq.relay"
#: An event that the broker refuses is a dead letter at once. Its outages count for none.
RETRY = RetryPolicy(
    attempts=8,
    first_delay_seconds=1,
    factor=3,
    max_delay_seconds=600,
    never_for=(MessageRefused, InvalidInput),
)

_publishers: dict[RabbitMQSettings, Publisher] = {}


def register_relay(settings: RabbitMQSettings | None = None) -> Subscription | None:
    """As the settings say; None where this project publishes nothing."""
    settings = settings or rabbitmq_settings()
    if not settings.relay:
        return None
    return subscribe(
        tuple(settings.relay),
        publish_events,
        name=RELAY,
        delivery=Delivery.DURABLE,
        effects=Effects.EXTERNAL,
        in_batches=True,
        batch_size=settings.relay_batch_size,
        lanes=settings.relay_lanes,
        start=Start(settings.relay_start),
        retry=RETRY,
        # A batch that has to be published twice, on a connection that must be made first.
        timeout_seconds=2 * (settings.confirm_timeout_seconds + settings.connect_timeout_seconds),
    )


def publish_events(events: Sequence[RecordedEvent]) -> None:
    """All are confirmed on return."""
    settings = rabbitmq_settings()
    publisher_for(settings).publish(
        [message_of(event, exchange=settings.exchange, source=settings.source) for event in events]
    )


def publisher_for(settings: RabbitMQSettings) -> Publisher:
    """One for each process: its connection is kept."""
    publisher = _publishers.get(settings)
    if publisher is None:
        publisher = Publisher(settings, event_topology(settings.exchange), purpose="relay")
        publisher = _publishers.setdefault(settings, publisher)
    return publisher


def close_publishers() -> None:
    """They connect again when they are used."""
    while _publishers:
        _publishers.popitem()[1].close()
