"""What the doctor finds, and that it leaves everything as it was."""

from __future__ import annotations

import dataclasses
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from events.bus.retry import RetryPolicy
from events.rabbitmq.doctor import Severity, examine
from tests.processes import eventually
from tests.rabbitmq.broker import api
from tests.rabbitmq.consumers import declare_all

pytestmark = [pytest.mark.rabbitmq, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def subscription(subscribed):
    found = subscribed(retry=RetryPolicy(attempts=2, first_delay_seconds=0.1, jitter=0))
    declare_all()
    return found


@pytest.fixture
def examined(rabbitmq, subscription):
    def examined(**changed):
        settings = dataclasses.replace(rabbitmq, **changed)
        return list(examine(settings, [subscription]))

    return examined


def about(found, subject):
    """The last thing that is said of it."""
    return [each for each in found if each.subject == subject][-1]


def test_a_broker_that_is_as_declared_is_fine(examined, outside, rabbitmq, subscription):
    found = examined()

    assert not [each for each in found if each.severity is Severity.ERROR]
    assert about(found, f"exchange {rabbitmq.exchange}").severity is Severity.FINE
    for sent in (
        "a rejected message",
        "a message that no queue is bound for",
        "a message that waits for 0.1 s",
    ):
        assert about(found, sent).severity is Severity.FINE
    assert outside.depth(subscription.queue.name) == 0
    for name in ("canary", "canary.dlq", "canary.unrouted"):
        assert outside.depth(f"{rabbitmq.exchange}.{name}") == -1


def test_the_version_of_the_broker_is_told(examined):
    [told] = [each for each in examined() if each.subject.startswith("RabbitMQ ")]

    assert told.severity is not Severity.ERROR


def test_a_queue_that_is_otherwise_is_an_error_with_the_difference(examined, outside, subscription):
    name = subscription.queue.name
    outside.channel.queue_delete(name)
    outside.channel.queue_declare(name, durable=True, auto_delete=False)

    found = [each for each in examined() if each.subject == f"queue {name}"]

    assert found[0].severity is Severity.ERROR
    assert "inequivalent arg" in found[0].text


def test_what_is_not_there_yet_is_named(examined, outside, subscription):
    outside.channel.queue_delete(f"{subscription.queue.name}.dlq")

    told = about(examined(), f"queue {subscription.queue.name}.dlq")

    assert (told.severity, told.text[:11]) == (Severity.WARNING, "isn't there")


def test_a_policy_that_would_surprise_is_told(examined, rabbitmq, subscription):
    name = f"{rabbitmq.exchange}-policy"
    dlq = f"{subscription.queue.name}.dlq"
    policy = {"pattern": f"^{rabbitmq.exchange}.*dlq$", "definition": {"message-ttl": 9_000_000}}
    api("PUT", f"policies/%2F/{name}", policy | {"apply-to": "queues"})
    try:
        eventually(lambda: api("GET", f"queues/%2F/{dlq}").get("effective_policy_definition"))
        told = about(examined(), f"queue {dlq}")
    finally:
        api("DELETE", f"policies/%2F/{name}")

    assert told.severity is Severity.WARNING
    assert "message-ttl" in told.text


def test_a_queue_that_nobody_consumes_is_told(examined, subscription):
    assert "no consumer" in about(examined(), f"queue {subscription.queue.name}").text


def test_retries_that_do_not_come_back_are_an_error(examined, outside, rabbitmq):
    name = f"{rabbitmq.exchange}.retry.100ms"
    outside.channel.queue_unbind(name, name, "")
    outside.channel.queue_delete(name)
    outside.channel.queue_declare(name, durable=True, auto_delete=False)
    outside.channel.queue_bind(name, name, "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("events.rabbitmq.doctor.CANARY_SECONDS", 0.3)
        found = examined()

    assert about(found, "a message that waits for 0.1 s").severity is Severity.ERROR


def test_the_command_tells_all_and_fails_on_errors(subscription, outside):
    out = StringIO()
    call_command("rabbitmq_doctor", stdout=out)
    assert "a rejected message: arrives in its dead-letter queue." in out.getvalue()

    outside.channel.queue_delete(f"{subscription.queue.name}.dlq")
    outside.channel.queue_declare(f"{subscription.queue.name}.dlq", durable=True)
    with pytest.raises(CommandError, match="1 errors"):
        call_command("rabbitmq_doctor", stdout=out)


def test_without_a_broker_the_command_says_so(rabbitmq, settings):
    settings.EVENTS["rabbitmq"]["url"] = "amqp://guest:guest@127.0.0.1:9//"

    with pytest.raises(CommandError, match="refused"):
        call_command("rabbitmq_doctor")
