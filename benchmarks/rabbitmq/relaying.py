"""From the log to the exchange. Ours reads the events and moves the checkpoint as well; the others
have the messages ready."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pika
from kombu.connection import Connection

from events.delivery.worker import Worker
from events.rabbitmq.relay import register_relay

from ..bus.ours import analyze, go_back
from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from ..store.ours import save_accounts
from .broker import BoundQueue, messages_of_log, url, use_broker

EVENTS = 2_000
BATCH = 1_000
ROUNDS = 7
OURS = "ours"
PIKA, KOMBU = "pika, a confirm for each", "kombu, without confirms"


def rows(server: Server, events: int = EVENTS, rounds: int = ROUNDS) -> Iterator[Row]:
    speeds = race(
        server,
        [
            Contender(OURS, partial(prepare_relay, events)),
            Contender(PIKA, partial(prepare_pika, events)),
            Contender(KOMBU, partial(prepare_kombu, events)),
        ],
        units=events,
        rounds=rounds,
    )
    yield from rows_against(
        {PIKA: 5.0, KOMBU: 0.6}, speeds, suite="rabbitmq", case="relay the log", unit="messages/s"
    )


def prepare_relay(events: int) -> Operation:
    settings = use_broker("relay", relay_batch_size=BATCH)
    save_accounts(events)
    subscription = register_relay(settings)
    assert subscription is not None
    queue = BoundQueue(settings)
    analyze()

    def relay_all() -> None:
        queue.empty()
        go_back([subscription])
        worker = Worker(only=[subscription])
        worker.turn()
        if worker.tally.handled != events:
            raise RuntimeError(f"It relayed {worker.tally.handled} of {events} events.")

    return relay_all


def prepare_pika(events: int) -> Operation:
    settings = use_broker("pika")
    save_accounts(events)
    messages = messages_of_log(settings)
    queue = BoundQueue(settings)
    channel = pika.BlockingConnection(pika.URLParameters(pika_url())).channel()
    channel.confirm_delivery()
    ready = [
        (
            message.routing_key,
            message.body,
            pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                message_id=message.message_id,
                headers=dict(message.properties["application_headers"]),
            ),
        )
        for message in messages
    ]

    def publish_all() -> None:
        queue.empty()
        for key, body, properties in ready:
            channel.basic_publish(settings.exchange, key, body, properties)

    return publish_all


def prepare_kombu(events: int) -> Operation:
    settings = use_broker("kombu")
    save_accounts(events)
    messages = messages_of_log(settings)
    queue = BoundQueue(settings)
    connection = Connection(url())
    producer = connection.Producer()

    def publish_all() -> None:
        queue.empty()
        for message in messages:
            producer.publish(
                message.body,
                exchange=settings.exchange,
                routing_key=message.routing_key,
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
                message_id=message.message_id,
                headers=dict(message.properties["application_headers"]),
                retry=False,
            )
        # Until the broker has read them.
        producer.channel.queue_declare(queue.name, passive=True)

    return publish_all


def pika_url() -> str:
    """A virtual host "/" is written in another way there."""
    return url().removesuffix("//") + "/%2F" if url().endswith("//") else url()
