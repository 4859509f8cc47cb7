"""Relays, consumers and the broker are killed; no event is lost, and none has its effects twice."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest
from django.conf import settings as django_settings

from events.delivery.draining import drain
from events.exceptions import BrokerUnavailable
from events.models import FailedEvent, InboxEntry, ReceivedEvent
from events.rabbitmq.connection import Link, declare
from events.rabbitmq.layout import event_topology
from events.rabbitmq.relay import register_relay
from events.store.configured import event_store
from private_rabbitmq import restarted_broker
from rabbitmq_programs import NoRabbitMQ
from tests.delivery.workers import let_leases_expire
from tests.effects.models import Effect
from tests.factories import cart, items
from tests.processes import eventually, new_event, running
from tests.rabbitmq import workers
from tests.rabbitmq.broker import silenced, stranger
from tests.rabbitmq.consumers import (
    consume,
    consumer_of,
    declare_all,
    event,
    events,
    handled,
    publish,
)

pytestmark = [pytest.mark.rabbitmq, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def given(rabbitmq):
    """The settings as another process gets them."""
    return dict(django_settings.EVENTS["rabbitmq"])


@pytest.fixture
def queue(rabbitmq):
    return f"{rabbitmq.exchange}.effects"


def numbers():
    return sorted(number for _, number in handled())


# --- the relay ---


@pytest.mark.parametrize("step", ["published", "confirmed"])
def test_what_a_killed_relay_has_published_is_published_again_and_nothing_is_left_out(
    store, rabbitmq, given, outside, queue, step
):
    declare_and_bind(rabbitmq, outside, queue)
    store.append(cart(1), items(5))
    reached = new_event()
    with running(workers.relay, given, step, reached, new_event()) as victim:
        assert reached.wait(20)
        victim.kill()
    let_leases_expire()
    register_relay()

    eventually(lambda: drain(raise_errors=False).handled or outside.depth(queue) >= 10)

    got = [message.message_id for message in outside.get_all(queue)]
    log = [str(each.event_id) for each in store.read_log()]
    assert list(dict.fromkeys(got)) == log
    assert not FailedEvent.objects.exists()


def declare_and_bind(rabbitmq, outside, queue):
    link = Link(rabbitmq, event_topology(rabbitmq.exchange), purpose="test")
    link.connect()
    link.close()
    outside.bind(queue, rabbitmq.exchange)


# --- consumers ---


@pytest.mark.parametrize("step", ["claimed", "effects written", "committed", "acknowledged"])
def test_a_killed_consumer_leaves_each_effect_once(given, queue, step):
    workers.subscribe_to(queue)
    publish(events(12))
    reached = new_event()
    with running(workers.consume, given, queue, step, reached, new_event()) as victim:
        assert reached.wait(20)
        victim.kill()

    consume(idle_seconds=0.5)

    assert numbers() == list(range(12))
    assert not FailedEvent.objects.exists()


@pytest.mark.parametrize("step", ["received", "acknowledged"])
def test_a_killed_receiver_of_an_ordered_queue_keeps_the_order(given, queue, step):
    workers.subscribe_to(queue, ordered=True)
    publish(events(12))
    reached = new_event()
    with running(workers.consume, given, queue, step, reached, new_event(), True) as victim:
        assert reached.wait(20)
        victim.kill()
    let_leases_expire()

    eventually(lambda: consume(idle_seconds=0.3) and len(handled()) >= 12)

    assert [number for _, number in handled()] == list(range(12))
    assert ReceivedEvent.objects.count() == 12


def test_a_message_that_kills_its_consumer_is_a_dead_letter_and_its_neighbours_are_handled(
    given, queue
):
    workers.subscribe_to(queue)
    publish(events(8))
    deaths = 0
    for _ in range(20):
        if FailedEvent.objects.exists() and len(numbers()) == 7:
            break
        with running(
            workers.consume, given, queue, None, None, new_event(), False, workers.end_process
        ) as victim:
            eventually(lambda victim=victim: not victim.is_running or is_all_done())
            deaths += not victim.is_running

    row = FailedEvent.objects.get()
    assert row.sequence_number == 3
    assert row.error_type.endswith("HandlerDied")
    assert numbers() == [0, 1, 2, 4, 5, 6, 7]
    # As often as it may fail, and once among others.
    assert deaths == workers.THREE_ATTEMPTS.attempts + 1
    assert not InboxEntry.objects.filter(handled_at=None).exists()


def is_all_done():
    return FailedEvent.objects.exists() and len(numbers()) == 7


def test_a_connection_that_is_cut_in_a_handler_costs_no_effect_and_doubles_none(
    subscribed, rabbitmq
):
    cut = []

    def handle_and_cut(recorded):
        workers.leave_effect(recorded)
        if not cut:
            sock = consumer._link.connection.transport.sock
            sock.shutdown(socket.SHUT_RDWR)
            cut.append(True)

    subscribed(handle_and_cut)
    publish(events(4))
    consumer = consumer_of()

    consumer.run(idle_seconds=1.5)

    assert cut
    assert numbers() == [0, 1, 2, 3]


def test_a_queue_that_is_deleted_under_its_consumer_is_made_again(subscribed, outside, given):
    subscription = subscribed()
    declare_all()
    name, is_done = subscription.queue.name, new_event()
    with running(workers.consume, given, name, None, None, is_done) as process:
        publish([event(0)])
        eventually(lambda: numbers() == [0])
        outside.channel.queue_delete(name)
        eventually(lambda: outside.depth(name) == 0)
        publish([event(1)])
        eventually(lambda: numbers() == [0, 1])
        is_done.set()
        process.result()


def test_a_queue_that_is_otherwise_is_told_and_others_are_consumed(subscribed, outside, caplog):
    bad = subscribed()
    good = subscribed(name="tests.others")
    outside.channel.queue_declare(bad.queue.name, durable=True, auto_delete=False)
    consume()
    outside.publish(b"any", key=good.queue.name)

    consume(idle_seconds=0.5)

    assert FailedEvent.objects.get().subscription_id == good.name
    assert any("inequivalent" in record.getMessage() for record in caplog.records)


def test_a_declaration_that_is_never_answered_is_an_outage(rabbitmq):
    with silenced(rabbitmq.url) as (url, is_silent):
        settings = replace(
            rabbitmq, url=url, confirm_timeout_seconds=0.5, connect_timeout_seconds=2
        )
        link = Link(settings, event_topology(rabbitmq.exchange), purpose="test")
        link.connect()
        is_silent.set()

        with pytest.raises(BrokerUnavailable):
            declare(link.connection, link.topology)
        link.close()


def test_while_a_handler_is_slow_the_connection_lives(subscribed):
    def slow(recorded):
        # Longer than the broker waits for a sign of life.
        time.sleep(3)
        workers.leave_effect(recorded)

    subscribed(slow)
    publish(events(1))

    tally = consume(heartbeat_seconds=1).tally

    assert (tally.handled, tally.repeated) == (1, 0)
    assert Effect.objects.count() == 1


# --- the broker ---


@pytest.mark.postgresql
def test_a_broker_that_is_killed_again_and_again_loses_and_doubles_nothing(store, settings):
    """Before the first connect, with a relay and a consumer that wait for it; in the middle of both
    after that."""
    try:
        with restarted_broker() as broker:
            _outlive(broker, store, settings)
    except NoRabbitMQ as error:
        pytest.skip(str(error))


SETTLED_SECONDS = 3


def _outlive(broker, store, settings):
    given = {"url": broker.url, "exchange": "outlived", "confirm_timeout_seconds": 5}
    settings.EVENTS = settings.EVENTS | {"rabbitmq": given}
    is_done = new_event()
    with (
        running(workers.relay, given, None, None, is_done) as relay,
        running(workers.consume, given, "outlived.effects", None, None, is_done) as consumer,
    ):
        store.append(cart(1), items(100))
        broker.start()
        # The consumer binds its queue when it has connected; what came before it is unrouted.
        with stranger(broker.url) as someone:
            eventually(lambda: someone.consumers("outlived.effects"), seconds=60)
        # RabbitMQ 3.10 doesn't outlive the loss of a queue's first moments.
        for _ in lasting(SETTLED_SECONDS):
            store.append(cart(2), items(10))
            eventually(all_have_arrived, seconds=60)
        appended = store.stream_version(cart(2)) + 1
        store.append(cart(2), items(200))
        broker.kill()
        store.append(cart(2), items(200))
        broker.start()
        total = appended + 400
        eventually(all_have_arrived, seconds=60)
        is_done.set()
        relay.result()
        consumer.result()
    assert sorted(cart_2().values_list("sequence_number", flat=True)) == list(range(total))
    assert not FailedEvent.objects.exists()


def cart_2():
    return Effect.objects.filter(aggregate_id="cart-2")


def all_have_arrived():
    return cart_2().count() > event_store().stream_version(cart(2))


def lasting(seconds):
    """Again and again, for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
