"""RabbitMQEventBus, and the declarations that it refuses."""

from __future__ import annotations

import pytest

from events.exceptions import BrokerUnavailable, InvalidInput, TopologyMismatch
from events.rabbitmq.bus import RabbitMQEventBus
from events.rabbitmq.topology import ExchangeKind, Queue, QueueKind, Topology
from tests.effects.models import leave_effect
from tests.factories import cart, item_added
from tests.processes import eventually
from tests.rabbitmq.consumers import THREE_ATTEMPTS, event, events, handled

pytestmark = [pytest.mark.rabbitmq, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bus(rabbitmq):
    with RabbitMQEventBus() as bus:
        yield bus


def test_what_it_publishes_its_subscriptions_handle(bus, rabbitmq):
    name = f"{rabbitmq.exchange}.carts"
    bus.subscribe("Cart.*", leave_effect, queue=name, name="tests.effects", prefetch=5)
    bus.connect()
    bus.publish_all(events(2))
    bus.publish(item_added(), cart(7))

    assert bus.run(idle_seconds=0.3).tally.handled == 3
    assert handled() == [("cart-1", 0), ("cart-1", 1), ("cart-7", 0)]


def test_an_event_that_is_in_no_log_needs_its_stream(bus):
    with pytest.raises(InvalidInput, match="of which aggregate"):
        bus.publish(item_added())


def test_a_declared_queue_gets_what_it_is_bound_for(bus, rabbitmq, outside):
    queue = bus.declare_queue(f"{rabbitmq.exchange}.own", kind=QueueKind.CLASSIC)
    bus.bind_queue(queue.name, rabbitmq.exchange, "*.tests.ItemAdded")

    bus.publish(event(0))

    assert outside.get(queue.name).delivery_info["routing_key"] == bus.get_routing_key(event(0))


def test_another_exchange_is_declared_when_it_is_published_to(bus, rabbitmq, outside):
    name = f"{rabbitmq.exchange}.other"
    bus.declare_exchange(name, kind=ExchangeKind.FANOUT)
    bus.publish(event(0), exchange=name)
    outside.bind(f"{name}.queue", name)
    bus.publish(event(1), exchange=name)

    eventually(lambda: outside.depth(f"{name}.queue") == 1)


def test_a_rejected_message_of_a_queue_by_hand_arrives_in_the_dead_letter_queue(
    bus, rabbitmq, outside
):
    dlx, dlq = bus.create_dead_letter_setup()
    queue = bus.declare_queue(
        f"{rabbitmq.exchange}.own", dead_letter_exchange=dlx.name, dead_letter_routing_key="failed"
    )
    bus.connect()
    outside.publish(b"any", key=queue.name)
    message = outside.get(queue.name, no_ack=False)
    outside.channel.basic_reject(message.delivery_tag, requeue=False)

    assert outside.get(dlq.name).body in (b"any", "any")


def test_a_connection_that_cannot_be_had_is_told():
    bus = RabbitMQEventBus("amqp://guest:guest@127.0.0.1:9//")

    with pytest.raises(BrokerUnavailable):
        bus.connect()
    with pytest.raises(BrokerUnavailable):
        bus.publish(event(0))


def test_a_queue_that_is_otherwise_is_named_with_the_difference(bus, rabbitmq, outside):
    name = f"{rabbitmq.exchange}.own"
    outside.channel.queue_declare(name, durable=True, auto_delete=False)
    bus.declare_queue(name)

    with pytest.raises(TopologyMismatch) as caught:
        bus.connect()

    assert caught.value.name == name
    assert "x-queue-type" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "field", "hint"),
    [
        ({"deadLetterExchange": "x"}, "deadLetterExchange", "'dead_letter_exchange'"),
        ({"messageTtl": 5}, "messageTtl", "'message_ttl_seconds'"),
        ({"durable": False}, "durable", "known are"),
        ({"message_ttl_seconds": 0}, "message_ttl_seconds", "at least"),
        ({"max_length": 1.5}, "max_length", "at least 1"),
        ({"dead_letter_routing_key": "x"}, "dead_letter_routing_key", "without"),
        ({"kind": "quorum"}, "kind", "QueueKind"),
        ({"drops_oldest": True}, "drops_oldest", "max_length"),
        ({"kind": QueueKind.CLASSIC, "delivery_limit": 3}, "delivery_limit", "quorum"),
    ],
)
def test_unknown_and_contradictory_options_are_refused(options, field, hint):
    bus = RabbitMQEventBus("amqp://nowhere")

    with pytest.raises(InvalidInput) as caught:
        bus.declare_queue("any", **options)

    assert caught.value.field == field
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"maxRetries": 3}, "maxRetries"),
        ({"delivery": "local"}, "delivery"),
        ({"prefetch": 0}, "queue.prefetch"),
        ({"prefetch": 2001}, "queue.prefetch"),
        ({"ordered": 1}, "queue.ordered"),
        ({"message_ttl_seconds": -1}, "queue.message_ttl_seconds"),
        ({"queue": "q" * 241}, "queue.name"),
        ({"lanes": 2}, "lanes"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_by_name(options, field):
    bus = RabbitMQEventBus("amqp://nowhere")

    given = {"queue": "q", "name": "any", "retry": THREE_ATTEMPTS} | options
    with pytest.raises(InvalidInput) as caught:
        bus.subscribe("*", print, **given)

    assert caught.value.field == field


def test_one_name_stands_for_one_thing():
    topology = Topology()
    topology.add(Queue(name="a"), Queue(name="a"))

    with pytest.raises(InvalidInput, match="again"):
        topology.add(Queue(name="a", max_length=5))
