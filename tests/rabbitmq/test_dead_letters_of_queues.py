"""What operators do about messages that failed for good: the same actions as for local ones."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import pytest

from events.delivery import dead_letters
from events.delivery.metrics import snapshot
from events.delivery.operations import pause, reset, resume
from events.exceptions import BrokerUnavailable, InvalidInput, MalformedMessage
from events.models import DeadMessage, FailedEvent, OperatorAction
from events.rabbitmq import bridging
from events.rabbitmq.bridging import redrive_due
from events.rabbitmq.publishing import Publisher
from events.rabbitmq.topology import Topology
from tests.effects.models import Effect, leave_effect
from tests.processes import eventually
from tests.rabbitmq.consumers import consume, declare_all, event, events, handled, publish

pytestmark = [pytest.mark.rabbitmq, pytest.mark.django_db(transaction=True)]

BAD = 1


class Fragile:
    """Fails at some events, as long as it isn't mended."""

    def __init__(self) -> None:
        self.is_mended = False
        self.attempts: list[int] = []

    def __call__(self, recorded):
        leave_effect(recorded)
        if recorded.data.get("name") == f"item {BAD}" and not self.is_mended:
            raise ValueError("no good")


@pytest.fixture
def fragile(subscribed):
    handler = Fragile()
    handler.subscription = subscribed(handler)
    publish(events(3))
    consume(idle_seconds=0.6)
    assert FailedEvent.objects.count() == 1
    return handler


def chosen():
    return dead_letters.choose(dead_letters.find())


def test_a_retry_goes_through_the_queue_with_all_attempts_before_it(fragile, outside):
    fragile.is_mended = True

    outcome = dead_letters.retry(chosen(), actor="ann", reason="mended")
    tally = consume().tally

    assert len(outcome.done) == 1
    assert (tally.redriven, tally.handled) == (1, 1)
    assert sorted(handled()) == [("cart-1", number) for number in range(3)]
    assert Effect.objects.get(sequence_number=BAD).attempt == 1
    assert not FailedEvent.objects.exists()
    assert not DeadMessage.objects.exists()


def test_who_wanted_it_and_that_the_broker_has_it_are_written_down(fragile):
    fragile.is_mended = True
    dead_letters.retry(chosen(), actor="ann", reason="mended")
    consume()

    asked, done = OperatorAction.objects.order_by("pk")
    assert (asked.action, asked.actor, asked.reason) == ("retry", "ann", "mended")
    assert (done.action, done.actor) == ("redrive", "consume_rabbitmq")
    assert done.details["queue"] == fragile.subscription.queue.name
    assert done.details["event_id"] == asked.details["event_id"]


def test_one_that_fails_again_is_a_dead_letter_again(fragile):
    [before] = FailedEvent.objects.all()
    dead_letters.retry(chosen(), actor="ann")

    consume(idle_seconds=0.6)

    [after] = FailedEvent.objects.all()
    assert after.pk != before.pk
    assert (after.event_id, after.status, after.attempts) == (before.event_id, "dead", 3)


def test_without_a_broker_it_stays_where_it_is(fragile, rabbitmq):
    nowhere = dataclasses.replace(rabbitmq, url="amqp://guest:guest@127.0.0.1:9//")
    dead_letters.retry(chosen(), actor="ann")

    with pytest.raises(BrokerUnavailable):
        redrive_due(fragile.subscription, Publisher(nowhere, Topology(), purpose="test"))

    assert FailedEvent.objects.get().status == "retrying"
    assert DeadMessage.objects.exists()


def test_a_queue_that_is_gone_gets_nothing_and_the_letter_stays(fragile, rabbitmq, outside):
    outside.channel.queue_delete(fragile.subscription.queue.name)
    dead_letters.retry(chosen(), actor="ann")
    publisher = Publisher(rabbitmq, Topology(), purpose="test")

    with pytest.raises(BrokerUnavailable, match="no queue"):
        redrive_due(fragile.subscription, publisher)

    publisher.close()
    assert FailedEvent.objects.get().status == "retrying"


def test_an_edited_one_is_another_message_that_names_the_old(fragile):
    [row] = FailedEvent.objects.all()
    assert dead_letters.data_to_edit(row) == {"name": f"item {BAD}", "quantity": 1}
    [choice] = chosen()

    dead_letters.edit_and_retry(choice, {"name": "better", "quantity": 2}, actor="ann")
    consume()

    assert not FailedEvent.objects.exists()
    effect = Effect.objects.get(sequence_number=BAD)
    assert effect.position == BAD + 1
    action = OperatorAction.objects.get(action="redrive")
    assert action.details["message_id"] != action.details["event_id"]


def test_a_discarded_one_is_gone(fragile):
    outcome = dead_letters.discard(chosen(), actor="ann", reason="not needed")

    assert len(outcome.done) == 1
    assert not FailedEvent.objects.exists()
    assert not DeadMessage.objects.exists()
    assert consume().tally.redriven == 0


def test_one_that_holds_no_event_can_be_seen_sent_again_and_discarded(subscribed, outside):
    subscription = subscribed()
    declare_all()
    outside.publish(b"{", key=subscription.queue.name)
    consume()
    [row] = FailedEvent.objects.all()
    with pytest.raises(MalformedMessage):
        dead_letters.data_to_edit(row)

    dead_letters.retry(chosen(), actor="ann")
    assert consume().tally.redriven == 1
    [again] = FailedEvent.objects.all()
    assert again.event_id == row.event_id
    dead_letters.discard(chosen(), actor="ann", reason="nonsense")
    assert not FailedEvent.objects.exists()


def test_a_paused_subscription_takes_nothing_until_it_is_resumed(subscribed, outside):
    subscription = subscribed()
    declare_all()
    pause(subscription.name, actor="ann", reason="looking")
    publish(events(2))

    assert consume().tally.handled == 0
    eventually(lambda: outside.depth(subscription.queue.name) == 2)
    resume(subscription.name, actor="ann")
    assert consume().tally.handled == 2


def test_without_an_order_there_is_no_position_to_go_back_to(subscribed):
    subscription = subscribed()

    with pytest.raises(InvalidInput, match="no position"):
        reset(subscription.name, to=1, actor="ann", reason="why not")


def test_it_is_listed_among_the_subscriptions(fragile):
    [found] = snapshot(fragile.subscription.name)

    assert (found.delivery, found.has_code, found.parked) == ("rabbitmq", True, 1)
    assert found.lanes == ()


def test_what_the_broker_says_of_a_message_is_kept_with_it(fragile):
    [stored] = DeadMessage.objects.all()

    assert stored.queue == fragile.subscription.queue.name
    assert json.loads(bytes(stored.body))["data"]["name"] == f"item {BAD}"
    assert stored.properties["application_headers"]["cloudEvents_source"] == "/other"


def test_the_same_dead_letter_twice_is_one(fragile, outside):
    [stored] = DeadMessage.objects.all()
    outside.publish(bytes(stored.body), key=f"{stored.queue}.dlq")

    consume()

    assert FailedEvent.objects.count() == 1


def test_one_that_fails_again_before_its_redrive_is_noted_is_kept(fragile, rabbitmq):
    """As when another consumer is faster than the one that has sent it back."""

    def publish_and_let_others_fail(messages):
        publisher.publish(messages)
        consume(idle_seconds=0.6)

    publisher = Publisher(rabbitmq, Topology(), purpose="test")
    slow = SimpleNamespace(publish=publish_and_let_others_fail)
    dead_letters.retry(chosen(), actor="ann")

    redrive_due(fragile.subscription, slow)

    publisher.close()
    [row] = FailedEvent.objects.all()
    assert (row.status, row.attempts) == ("dead", 3)
    assert OperatorAction.objects.filter(action="redrive").count() == 1
    fragile.is_mended = True
    dead_letters.retry(chosen(), actor="ann")
    assert consume().tally.handled == 1
    assert not FailedEvent.objects.exists()


def test_one_that_is_discarded_while_it_is_to_be_sent_back_is_not_sent(fragile, monkeypatch):
    def discard_and_choose(subscription, row):
        dead_letters.discard(chosen(), actor="ann", reason="not needed")
        return began(subscription, row)

    dead_letters.retry(chosen(), actor="ann")
    began = bridging._begun
    monkeypatch.setattr(bridging, "_begun", discard_and_choose)

    assert consume().tally.redriven == 0


def test_what_no_database_can_store_of_a_message_does_not_hold_up_the_others(subscribed, outside):
    subscription = subscribed()
    publish([event(0)])
    headers = {"note": "a\0b", "list": [{"deep": "\0"}]}
    outside.publish(b"{", key=subscription.queue.name, application_headers=headers)
    outside.publish(b"[", key=f"{subscription.queue.name}.dlq", application_headers=headers)

    consume()

    assert FailedEvent.objects.count() == 2
    kept = [row.properties["application_headers"] for row in DeadMessage.objects.all()]
    assert {each["note"] for each in kept} == {"a\N{REPLACEMENT CHARACTER}b"}


def test_events_of_one_stream_do_not_wait_for_each_other(fragile):
    publish([event(7)])

    assert consume().tally.handled == 1
