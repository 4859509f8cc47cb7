from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from events.bus.queues import QueueOptions
from events.bus.subscription import subscribe
from events.rabbitmq.conf import RabbitMQSettings, rabbitmq_settings
from tests.effects.models import leave_effect
from tests.rabbitmq import broker
from tests.rabbitmq.broker import Stranger, stranger
from tests.rabbitmq.consumers import THREE_ATTEMPTS


@pytest.fixture(scope="session")
def amqp_url() -> str:
    url = broker.amqp_url()
    if url is None:
        pytest.skip("AMQP_URL names no RabbitMQ: see scripts/private_rabbitmq.py")
    return url


@pytest.fixture(scope="session")
def prefix(amqp_url) -> Iterator[str]:
    """What the names of all queues and exchanges of this run begin with."""
    name = f"t{secrets.token_hex(4)}"
    yield name
    broker.delete_all(name)


@pytest.fixture(autouse=True)
def on_its_own(no_other_subscriptions):
    pass


@pytest.fixture
def rabbitmq(amqp_url, prefix, settings) -> RabbitMQSettings:
    """Settings with an exchange for this test alone."""
    settings.EVENTS = settings.EVENTS | {
        "rabbitmq": {
            "url": amqp_url,
            "exchange": f"{prefix}.{secrets.token_hex(3)}",
            "confirm_timeout_seconds": 10,
            "heartbeat_seconds": 5,
            "management_url": broker.management_url(),
        }
    }
    return rabbitmq_settings()


@pytest.fixture
def outside(amqp_url) -> Iterator[Stranger]:
    with stranger(amqp_url) as someone:
        yield someone


@pytest.fixture
def subscribed(rabbitmq):
    """Subscribes a handler to a queue of this test's own."""

    def subscribed(handler=leave_effect, pattern="*", *, name="tests.effects", **options):
        queue = QueueOptions(name=f"{rabbitmq.exchange}.{name}", **options.pop("queue", {}))
        options = {"retry": THREE_ATTEMPTS} | options
        return subscribe(pattern, handler, name=name, queue=queue, **options)

    return subscribed
