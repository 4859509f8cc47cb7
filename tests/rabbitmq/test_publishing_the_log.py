"""The relay: what the log holds is at the broker, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import json
import socket

import amqp
import pytest

from events.delivery import dead_letters
from events.delivery.draining import drain
from events.exceptions import BrokerUnavailable, DrainFailed, TopologyMismatch
from events.models import FailedEvent, Lane
from events.rabbitmq import relay
from events.rabbitmq.connection import Link
from events.rabbitmq.layout import event_topology
from events.rabbitmq.publishing import Publisher
from events.rabbitmq.relay import register_relay
from tests.factories import cart, item_added, items, measured

pytestmark = [pytest.mark.rabbitmq, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def queue(rabbitmq, outside):
    """A stranger's, bound to all events of this test's exchange."""
    link = Link(rabbitmq, event_topology(rabbitmq.exchange), purpose="test")
    link.connect()
    link.close()
    name = f"{rabbitmq.exchange}.all"
    outside.bind(name, rabbitmq.exchange)
    return name


@pytest.fixture(autouse=True)
def publisher_of_this_test():
    yield
    relay.close_publishers()


def passed(store):
    """How many events of the log are behind the checkpoint."""
    return sum(each.position <= position() for each in store.read_log())


def position():
    return Lane.objects.get(subscription_id=relay.RELAY).position


def test_each_event_is_published_in_the_order_of_the_log(store, queue, outside):
    register_relay()
    for number in (1, 2, 3):
        store.append(cart(number), items(2))

    assert drain().handled == 6

    events = list(store.read_log())
    messages = outside.get_all(queue)
    assert [message.message_id for message in messages] == [str(each.event_id) for each in events]
    assert position() == events[-1].position


def test_a_message_says_what_it_is_to_routers_people_and_cloudevents(store, queue, outside):
    register_relay()
    recorded = item_added(metadata={"correlation_id": "talk-1", "traceparent": "00-a-b-01"})
    store.append(cart(1), [recorded])
    drain()

    [message] = outside.get_all(queue)
    [event] = store.read_log()
    assert message.delivery_info["routing_key"] == "Cart.tests.ItemAdded"
    properties = message.properties
    assert properties["delivery_mode"] == 2
    assert properties["type"] == "tests.ItemAdded"
    assert properties["timestamp"] == int(event.occurred_on.timestamp())
    assert properties["correlation_id"] == "talk-1"
    headers = properties["application_headers"]
    assert headers["aggregateType"] == "Cart"
    assert headers["aggregateId"] == "cart-1"
    assert headers["position"] == event.position
    assert headers["cloudEvents_specversion"] == "1.0"
    assert headers["cloudEvents_id"] == str(event.event_id)
    assert headers["cloudEvents_source"] == "/edda"
    assert headers["cloudEvents_type"] == "tests.ItemAdded"
    assert headers["cloudEvents_subject"] == "Cart-cart-1"
    assert headers["cloudEvents_traceparent"] == "00-a-b-01"
    body = json.loads(message.body)
    assert (body["eventType"], body["sequenceNumber"]) == ("tests.ItemAdded", 0)
    assert body["data"] == {"name": "pen", "quantity": 1}


def test_what_no_queue_is_bound_for_is_kept_apart(store, rabbitmq, outside):
    register_relay()
    store.append(cart(1), items(1))

    assert drain().handled == 1

    assert outside.get(f"{rabbitmq.exchange}.unrouted").properties["type"] == "tests.ItemAdded"


def test_only_what_the_settings_name_is_published(store, queue, outside, settings):
    settings.EVENTS["rabbitmq"]["relay"] = ["Cart.tests.ItemAdded"]
    register_relay()
    store.append(cart(1), [*items(1), measured(1)])

    drain()

    assert [each.properties["type"] for each in outside.get_all(queue)] == ["tests.ItemAdded"]


def test_a_connection_that_was_closed_meanwhile_is_made_again(store, queue, outside):
    register_relay()
    store.append(cart(1), items(1))
    drain()
    cut_the_connection()
    store.append(cart(1), items(2))

    assert drain().handled == 2

    assert len(outside.get_all(queue)) == 3


def cut_the_connection():
    """Nobody says good-bye."""
    link = relay.publisher_for(relay.rabbitmq_settings())._link
    link.connection.transport.sock.shutdown(socket.SHUT_RDWR)


def test_without_a_broker_nothing_is_counted_as_failed_and_nothing_is_passed(
    store, rabbitmq, settings
):
    settings.EVENTS["rabbitmq"]["url"] = "amqp://guest:guest@127.0.0.1:9//"
    register_relay()
    store.append(cart(1), items(3))

    with pytest.raises(DrainFailed) as caught:
        drain()

    assert isinstance(caught.value.__cause__, BrokerUnavailable)
    lane = Lane.objects.get()
    assert (lane.outages, lane.failed_attempts) == (1, 0)
    assert passed(store) == 0
    assert not FailedEvent.objects.exists()
    for _ in range(relay.RETRY.attempts + 1):
        drain(retries=True, raise_errors=False)
    assert not FailedEvent.objects.exists()


def test_the_same_events_are_published_once_the_broker_is_back(
    store, queue, outside, settings, amqp_url
):
    settings.EVENTS["rabbitmq"]["url"] = "amqp://guest:guest@127.0.0.1:9//"
    register_relay()
    store.append(cart(1), items(3))
    drain(raise_errors=False)
    settings.EVENTS["rabbitmq"]["url"] = amqp_url

    assert drain(retries=True).handled == 3

    assert len(outside.get_all(queue)) == 3


def test_a_full_queue_holds_the_relay_up_and_loses_nothing(store, queue, rabbitmq, outside):
    full = f"{rabbitmq.exchange}.full"
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    outside.channel.queue_declare(full, durable=True, auto_delete=False, arguments=arguments)
    outside.channel.queue_bind(full, rabbitmq.exchange, "#")
    register_relay()
    store.append(cart(1), items(3))

    with pytest.raises(DrainFailed, match="1 times"):
        drain()
    assert passed(store) == 0
    outside.channel.queue_unbind(full, rabbitmq.exchange, "#")

    assert drain(retries=True).handled == 3
    assert {each.message_id for each in outside.get_all(queue)} == {
        str(event.event_id) for event in store.read_log()
    }


def test_a_message_above_the_limit_is_a_dead_letter_and_holds_up_its_own_stream_alone(
    store, queue, outside, settings
):
    settings.EVENTS["rabbitmq"]["max_message_bytes"] = 2000
    register_relay()
    store.append(cart(1), [measured("x" * 3000), *items(1)])
    store.append(cart(2), items(2))

    drain(raise_errors=False)

    row = FailedEvent.objects.get()
    assert (row.aggregate_id, row.status, row.attempts) == ("cart-1", "dead", 1)
    assert "3," in row.error_message
    assert "of at most 2,000" in row.error_message
    streams = [each.headers["aggregateId"] for each in outside.get_all(queue)]
    assert streams == ["cart-2", "cart-2"]


def test_a_message_that_the_broker_refuses_while_others_are_sent_is_a_dead_letter_alone(
    store, queue, outside, monkeypatch
):
    """As with a limit of its own that is lower: it closes the channel then."""
    send = amqp.Channel.basic_publish

    def refuse_some(channel, message, **options):
        if len(message.body) > 3000:
            raise amqp.PreconditionFailed("message size 3000 is larger than max size 2000")
        return send(channel, message, **options)

    monkeypatch.setattr(amqp.Channel, "basic_publish", refuse_some)
    register_relay()
    store.append(cart(1), [measured("x" * 3000), *items(1)])
    store.append(cart(2), items(2))

    drain(raise_errors=False)

    row = FailedEvent.objects.get()
    assert (row.aggregate_id, row.status) == ("cart-1", "dead")
    assert "larger than max size" in row.error_message
    streams = {each.headers["aggregateId"] for each in outside.get_all(queue)}
    assert streams == {"cart-2"}


def test_a_discarded_one_lets_its_stream_go_on(store, queue, outside, settings):
    settings.EVENTS["rabbitmq"]["max_message_bytes"] = 2000
    register_relay()
    store.append(cart(1), [measured("x" * 3000), *items(1)])
    drain(raise_errors=False)

    chosen = dead_letters.choose(dead_letters.find())
    dead_letters.discard(chosen, actor="somebody", reason="too large")

    assert drain().handled == 1
    assert [each.properties["type"] for each in outside.get_all(queue)] == ["tests.ItemAdded"]


def test_an_exchange_that_is_otherwise_is_named_and_waited_for(store, rabbitmq, outside):
    outside.channel.exchange_declare(rabbitmq.exchange, "direct", durable=True, auto_delete=False)
    register_relay()
    store.append(cart(1), items(1))

    with pytest.raises(DrainFailed) as caught:
        drain()

    mismatch = caught.value.__cause__
    assert isinstance(mismatch, TopologyMismatch)
    assert mismatch.name == rabbitmq.exchange
    assert "topic" in str(mismatch)
    assert not FailedEvent.objects.exists()


def test_silence_is_no_confirmation(store, rabbitmq, queue, outside, monkeypatch):
    register_relay()
    store.append(cart(1), items(2))
    impatient = dataclasses.replace(rabbitmq, confirm_timeout_seconds=0.2)
    publisher = Publisher(impatient, event_topology(rabbitmq.exchange), purpose="silent")
    monkeypatch.setitem(relay._publishers, impatient, publisher)
    monkeypatch.setattr(relay, "publisher_for", lambda settings: publisher)
    monkeypatch.setattr("events.rabbitmq.publishing._Batch._on_ack", lambda *args: None)

    with pytest.raises(DrainFailed):
        drain()

    assert passed(store) == 0
    monkeypatch.undo()
    assert drain(retries=True).handled == 2


def test_the_relay_is_a_durable_subscription_with_a_policy_of_its_own():
    settings = dataclasses.replace(
        relay.RabbitMQSettings(url="amqp://nowhere"), relay_start="now", relay_lanes=2
    )

    subscription = register_relay(settings)

    assert subscription is not None
    assert (subscription.name, subscription.lanes) == ("rabbitmq.relay", 2)
    assert subscription.retry.attempts == relay.RETRY.attempts
    assert register_relay(dataclasses.replace(settings, relay=())) is None
