"""Consumers in the process of the test, and the events that they get."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscriptions
from events.identifiers import new_id
from events.rabbitmq.conf import RabbitMQSettings, rabbitmq_settings
from events.rabbitmq.connection import Link
from events.rabbitmq.consuming import Consumer
from events.rabbitmq.layout import subscription_topology
from events.rabbitmq.messages import message_of
from events.rabbitmq.publishing import Publisher
from events.rabbitmq.topology import Topology
from events.recorded_event import RecordedEvent
from tests.effects.models import Effect
from tests.factories import ItemAdded

#: Fails for good with the third attempt, and is tried again almost at once.
THREE_ATTEMPTS = RetryPolicy(
    attempts=3, first_delay_seconds=0.05, factor=1, max_delay_seconds=0.05, jitter=0
)
MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def event(number: int, stream: int = 1, **overrides: Any) -> RecordedEvent:
    """As another project's log has it."""
    values: dict[str, Any] = {
        "position": number + 1,
        "aggregate_type": "Cart",
        "aggregate_id": f"cart-{stream}",
        "sequence_number": number,
        "event_id": new_id(),
        "event_type": ItemAdded.event_type,
        "event_version": 1,
        "data": {"name": f"item {number}", "quantity": 1},
        "metadata": {"correlation_id": "talk", "causation_id": None, "user_id": "7"},
        "occurred_on": MOMENT,
        "recorded_at": MOMENT,
    }
    return RecordedEvent(**values | overrides)


def events(count: int, stream: int = 1) -> list[RecordedEvent]:
    return [event(number, stream) for number in range(count)]


def declare_all() -> None:
    """The queues of all subscriptions, so that events can be published before anybody consumes."""
    settings, topology = rabbitmq_settings(), Topology()
    for each in subscriptions.stored():
        if each.queue is not None:
            topology.merge(subscription_topology(settings.exchange, each))
    link = Link(settings, topology, purpose="test")
    link.connect()
    link.close()


def publish(sent: Sequence[RecordedEvent]) -> None:
    declare_all()
    settings = rabbitmq_settings()
    publisher = Publisher(settings, Topology(), purpose="test")
    publisher.publish(
        [message_of(each, exchange=settings.exchange, source="/other") for each in sent]
    )
    publisher.close()


def consume(idle_seconds: float = 0.3, **changed: Any) -> Consumer:
    """Until nothing comes any more."""
    settings = dataclasses.replace(rabbitmq_settings(), **changed)
    consumer = consumer_of(settings)
    consumer.run(idle_seconds=idle_seconds)
    return consumer


def consumer_of(settings: RabbitMQSettings | None = None, **options: Any) -> Consumer:
    chosen = [each for each in subscriptions.stored() if each.queue is not None]
    return Consumer(settings=settings or rabbitmq_settings(), subscriptions=chosen, **options)


def handled(name: str = "tests.effects") -> list[tuple[str, int]]:
    """(aggregate id, sequence number), in the order of it."""
    rows = Effect.objects.filter(subscription=name).order_by("pk")
    return list(rows.values_list("aggregate_id", "sequence_number"))
