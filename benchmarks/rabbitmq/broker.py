"""The same exchange and queues for all contenders, each with names of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings as django_settings

from events.rabbitmq.conf import RabbitMQSettings, rabbitmq_settings
from events.rabbitmq.connection import Link, declare
from events.rabbitmq.layout import event_topology
from events.rabbitmq.messages import OutgoingMessage, message_of
from events.rabbitmq.topology import Binding, Queue, Topology
from events.store.configured import event_store


def url() -> str:
    return os.environ["AMQP_URL"]


def use_broker(name: str, **options: Any) -> RabbitMQSettings:
    """In this process, with an exchange of this name."""
    django_settings.EVENTS = django_settings.EVENTS | {
        "rabbitmq": {"url": url(), "exchange": f"bench.{name}", **options}
    }
    return rabbitmq_settings()


class BoundQueue:
    """Gets all events of the exchange, until it is emptied."""

    def __init__(self, settings: RabbitMQSettings, **options: Any) -> None:
        """With the options of a `topology.Queue`."""
        self.name = f"{settings.exchange}.all"
        self._link = Link(settings, Topology(), purpose="benchmark", has_pulse=False)
        self._link.connect()
        topology = event_topology(settings.exchange)
        queue = Queue(name=self.name, **options)
        topology.add(queue, Binding(self.name, settings.exchange, "#"))
        declare(self._link.connection, topology)
        self._channel = self._link.new_channel()

    def empty(self) -> None:
        self._channel.queue_purge(self.name)

    def count(self) -> int:
        return int(self._channel.queue_declare(self.name, passive=True).message_count)


def messages_of_log(settings: RabbitMQSettings) -> Sequence[OutgoingMessage]:
    return [
        message_of(event, exchange=settings.exchange, source=settings.source)
        for event in event_store().read_log()
    ]
