"""From a queue to a row for each event, with the id of the message in the same commit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pika
from django.db import transaction
from django.utils import timezone

from events.bus.queues import QueueOptions
from events.bus.subscription import Subscription, subscribe
from events.models import InboxEntry
from events.rabbitmq.consuming import Consumer
from events.rabbitmq.layout import dead_letter_exchange
from events.rabbitmq.messages import IncomingMessage, recorded_event_of
from events.rabbitmq.publishing import Publisher
from events.rabbitmq.topology import Topology

from ..bus.ours import write_row
from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from .broker import BoundQueue, messages_of_log, use_broker
from .relaying import pika_url

EVENTS = 1_000
ROUNDS = 7
OURS, PIKA = "ours", "pika, a commit and an acknowledgement for each"
NAME = "benchmarks.consumer"
PREFETCH = 200
#: One operation a turn: the queue is filled for so many.
ONCE = 0.01


def rows(server: Server, events: int = EVENTS, rounds: int = ROUNDS) -> Iterator[Row]:
    speeds = race(
        server,
        [
            Contender(OURS, partial(prepare_consumer, events, rounds)),
            Contender(PIKA, partial(prepare_pika, events, rounds)),
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


def prepare_consumer(events: int, rounds: int) -> Operation:
    settings = use_broker("consumer")
    queue = _filled("consumer", events, rounds)
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


def prepare_pika(events: int, rounds: int) -> Operation:
    queue = _filled("pika.consumer", events, rounds)
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


def _filled(name: str, events: int, rounds: int) -> BoundQueue:
    """With the same events for each turn."""
    settings = use_broker(name)
    messages = messages_of_log(settings, events)
    queue = BoundQueue(
        settings,
        # As a subscription's.
        dead_letter_exchange=dead_letter_exchange(settings.exchange),
        dead_letter_routing_key=f"{settings.exchange}.all",
    )
    queue.empty()
    publisher = Publisher(settings, Topology(), purpose="benchmark")
    for _ in range(rounds + 2):
        publisher.publish(messages)
    publisher.close()
    return queue
