from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from events.rabbitmq.conf import RabbitMQSettings, rabbitmq_settings
from tests.rabbitmq import broker
from tests.rabbitmq.broker import Stranger, stranger


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
