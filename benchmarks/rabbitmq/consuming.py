"""From a queue to a row for each event, with the id of the message in the same commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pika
from django.db import transaction
from django.utils import timezone

from events.bus.queues import QueueOptions
from events.bus.subscription import Subscription, subscribe
from events.models import InboxEntry
from events.rabbitmq.conf import RabbitMQSettings
from events.rabbitmq.consuming import Consumer
from events.rabbitmq.layout import dead_letter_exchange
from events.rabbitmq.messages import IncomingMessage, recorded_event_of
from events.rabbitmq.publishing import Publisher
from events.rabbitmq.topology import Topology

from ..bus.ours import write_row
from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from ..store.ours import save_accounts
from .broker import BoundQueue, messages_of_log, use_broker
from .relaying import pika_url

EVENTS = 1_000
ROUNDS = 7
OURS, PIKA = "ours", "pika, a commit and an acknowledgement for each"
NAME = "benchmarks.consumer"
PREFETCH = 200
#: One operation a turn: the queue is filled for one.
ONCE = 0.01


def rows(server: Server, events: int = EVENTS, rounds: int = ROUNDS) -> Iterator[Row]:
    speeds = race(
        server,
        [
            Contender(OURS, partial(prepare_consumer, events), partial(_filled, "consumer")),
            Contender(PIKA, partial(prepare_pika, events), partial(_filled, "pika.consumer")),
        ],
        units=events,
        rounds=rounds,
        seconds=ONCE,
    )
    yield from rows_against(
        {PIKA: 2.0},
        speeds,
        suite="rabbitmq",
        case="consume with inbox, one row by the ORM",
        unit="messages/s",
    )


def prepare_consumer(events: int) -> Operation:
    settings = use_broker("consumer")
    save_accounts(events)
    queue = _queue(settings)
    options = QueueOptions(name=queue.name, prefetch=PREFETCH)
    subscription: Subscription = subscribe("*", write_row, name=NAME, queue=options)

    def consume_all() -> None:
        InboxEntry.objects.all().delete()

        def is_done() -> bool:
            return consumer.tally.handled >= events

        consumer = Consumer(settings=settings, subscriptions=[subscription], is_stopping=is_done)
        consumer.run(idle_seconds=5)
        if not is_done():
            raise RuntimeError(f"It handled {consumer.tally}.")

    return consume_all


def prepare_pika(events: int) -> Operation:
    save_accounts(events)
    queue = _queue(use_broker("pika.consumer"))
    channel = pika.BlockingConnection(pika.URLParameters(pika_url())).channel()
    channel.basic_qos(prefetch_count=PREFETCH)

    def consume_all() -> None:
        InboxEntry.objects.all().delete()
        for count, (method, _properties, body) in enumerate(channel.consume(queue.name), start=1):
            event = recorded_event_of(IncomingMessage(body=body, properties={}))
            with transaction.atomic():
                InboxEntry(
                    subscription=NAME, event_id=event.event_id, handled_at=timezone.now()
                ).save(force_insert=True)
                write_row(event)
            channel.basic_ack(method.delivery_tag)
            if count == events:
                break
        channel.cancel()

    return consume_all


@contextmanager
def _filled(name: str) -> Iterator[None]:
    """With the events of the log, anew for each turn, so that none is left behind by it."""
    settings = use_broker(name)
    queue = _queue(settings)
    queue.empty()
    publisher = Publisher(settings, Topology(), purpose="benchmark")
    publisher.publish(messages_of_log(settings))
    publisher.close()
    yield


def _queue(settings: RabbitMQSettings) -> BoundQueue:
    """As a subscription's."""
    return BoundQueue(
        settings,
        dead_letter_exchange=dead_letter_exchange(settings.exchange),
        dead_letter_routing_key=f"{settings.exchange}.all",
    )
