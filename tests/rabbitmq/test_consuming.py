"""From a queue to its handler: once in the database, however often a message comes."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain

import pytest
from django.db import connection

from events.bus.subscription import Effects
from events.context import current_context
from events.delivery.context import current_delivery
from events.exceptions import MalformedMessage, Outage, UnknownEventType
from events.models import FailedEvent, InboxEntry
from events.rabbitmq.layout import retry_exchange
from events.signals import event_dead_lettered, handler_failed
from tests.effects.models import Effect, leave_effect
from tests.factories import ItemAdded
from tests.processes import eventually
from tests.rabbitmq.consumers import (
    THREE_ATTEMPTS,
    consume,
    consumer_of,
    declare_all,
    event,
    events,
    handled,
    publish,
)

pytestmark = [pytest.mark.rabbitmq, pytest.mark.django_db(transaction=True)]


def numbers():
    return sorted(number for _, number in handled())


def test_what_is_published_is_handled_and_acknowledged(subscribed, outside):
    subscription = subscribed()
    publish(events(5))

    tally = consume().tally

    assert (tally.handled, tally.failed) == (5, 0)
    assert numbers() == [0, 1, 2, 3, 4]
    assert outside.depth(subscription.queue.name) == 0
    assert InboxEntry.objects.exclude(handled_at=None).count() == 5


def test_the_same_message_again_has_no_second_effect(subscribed):
    subscribed()
    sent = events(3)
    publish(sent)
    publish([sent[1], sent[1], *sent])
    consume()
    publish(sent)

    tally = consume().tally

    assert (tally.handled, tally.repeated) == (0, 3)
    assert numbers() == [0, 1, 2]


def test_two_subscriptions_have_their_effects_each(subscribed):
    subscribed()
    subscribed(name="tests.others")
    publish(events(2))

    consume()

    assert len(handled()) == len(handled("tests.others")) == 2


def test_bindings_are_those_of_the_pattern(subscribed):
    subscribed(pattern=("Cart.tests.ItemRemoved", "tests.Measured"))
    sent = [
        event(0),
        event(1, event_type="tests.ItemRemoved"),
        event(2, event_type="tests.Measured", aggregate_type="Sensor"),
        event(3, event_type="tests.ItemRemoved", aggregate_type="Sensor"),
    ]
    publish(sent)

    assert consume().tally.messages == 2
    assert numbers() == [1, 2]


def test_a_filter_sees_the_event_and_what_it_passes_over_is_acknowledged(subscribed, outside):
    subscription = subscribed(filter=lambda each: each.sequence_number % 2 == 1)
    publish(events(4))

    assert consume().tally.unwanted == 2
    assert numbers() == [1, 3]
    assert outside.depth(subscription.queue.name) == 0


def test_a_known_type_arrives_as_its_class_and_an_unknown_one_raw(subscribed):
    seen = []

    def look(recorded):
        try:
            seen.append(recorded.event)
        except UnknownEventType:
            seen.append(recorded.data)

    subscribed(look)
    publish([event(0), event(1, event_type="Elsewhere", data={"any": [1, None]})])

    consume()

    assert seen == [ItemAdded(name="item 0", quantity=1), {"any": [1, None]}]


def test_a_handler_knows_what_it_handles_and_goes_on_with_the_conversation(subscribed):
    seen = []

    def look(recorded):
        context = current_context()
        seen.append((current_delivery().attempt, context.correlation_id, context.user_id))

    subscribed(look)
    publish([event(0)])

    consume()

    assert seen == [(1, "talk", "7")]


def test_a_failed_attempt_is_rolled_back_waits_in_its_queue_and_comes_again(subscribed):
    attempts = []

    def fail_twice(recorded):
        leave_effect(recorded)
        attempts.append(current_delivery().attempt)
        if len(attempts) < 3:
            raise ValueError("no good")

    subscribed(fail_twice)
    publish([event(0)])

    tally = consume(idle_seconds=1).tally

    assert attempts == [1, 2, 3]
    assert handled() == [("cart-1", 0)]
    assert (tally.handled, tally.dead_letters) == (1, 0)
    assert not FailedEvent.objects.exists()


def test_one_that_fails_in_a_batch_does_not_hold_up_the_others(subscribed):
    def fail_one(recorded):
        leave_effect(recorded)
        if recorded.sequence_number == 2:
            raise ValueError("no good")

    subscribed(fail_one)
    publish(events(5))

    consume(idle_seconds=1)

    assert numbers() == [0, 1, 3, 4]
    assert FailedEvent.objects.get().sequence_number == 2


def test_when_attempts_are_used_up_it_is_a_dead_letter_of_the_operators_table(subscribed, outside):
    def fail(recorded):
        raise ValueError("no good")

    told, dead = [], []
    handler_failed.connect(note := lambda **facts: told.append(facts["attempt"]))
    event_dead_lettered.connect(note_dead := lambda **facts: dead.append(facts["failed_event"]))
    subscription = subscribed(fail)
    publish([event(0)])

    consume(idle_seconds=1)

    assert told == [1, 2, 3]
    row = FailedEvent.objects.get()
    assert (row.status, row.attempts, row.blocks) == ("dead", 3, False)
    assert (row.error_type, row.error_message) == ("ValueError", "no good")
    assert "in fail" in row.traceback
    assert row.fingerprint
    assert (row.aggregate_type, row.aggregate_id, row.sequence_number) == ("Cart", "cart-1", 0)
    assert dead == [row]
    for queue in ("", ".dlq"):
        assert outside.depth(subscription.queue.name + queue) == 0
    del note, note_dead


def test_some_errors_are_final_at_once(subscribed):
    def fail(recorded):
        raise LookupError

    subscribed(fail, retry=replace(THREE_ATTEMPTS, never_for=(LookupError,)))
    publish([event(0)])

    consume()

    assert FailedEvent.objects.get().attempts == 1


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"eventId": "x"}',
        b'{"a": NaN}',
        b"[" * 5000,
        json.dumps({"eventId": "\0"}).encode(),
    ],
)
def test_what_holds_no_event_is_a_dead_letter_and_others_are_handled(subscribed, outside, body):
    subscription = subscribed()
    declare_all()
    outside.publish(body, key=subscription.queue.name, content_encoding="utf-8", type="Odd")
    publish(events(2))

    tally = consume().tally

    assert (tally.handled, tally.dead_letters) == (2, 1)
    row = FailedEvent.objects.get()
    assert row.event_type == "Odd"
    assert row.error_type.endswith(MalformedMessage.__name__)
    assert bytes(row.message.body) == body


def test_properties_that_can_not_be_decoded_end_no_consumer(subscribed, outside):
    queue = subscribed().queue.name
    declare_all()
    publish(events(1))
    readable = outside.get(queue).body
    for body in (readable.encode(), b"nonsense"):
        outside.publish(body, key=queue, type=b"\xff\xfe")
    publish([event(1)])

    tally = consume().tally

    assert (tally.handled, tally.dead_letters) == (2, 1)
    assert numbers() == [0, 1]
    assert bytes(FailedEvent.objects.get().message.body) == b"nonsense"


def test_in_batches_the_handler_gets_a_list(subscribed):
    batches = []

    def look(batch):
        batches.append([each.sequence_number for each in batch])

    subscribed(look, in_batches=True)
    publish(events(4))

    consume()

    assert sorted(chain.from_iterable(batches)) == [0, 1, 2, 3]
    assert len(batches) < 4


def test_effects_elsewhere_are_had_outside_of_a_transaction_one_at_a_time(subscribed):
    seen = []

    def look(recorded):
        seen.append((connection.in_atomic_block, current_delivery().idempotency_key))

    subscribed(look, effects=Effects.EXTERNAL)
    [sent] = events(1)
    publish([sent, sent])

    assert consume().tally.repeated == 1
    assert seen == [(False, f"tests.effects:{sent.event_id}")]


def test_an_outage_counts_for_no_message(subscribed, monkeypatch):
    is_down = [True]

    def elsewhere(recorded):
        if is_down.pop():
            is_down.append(len(seen) < 3)
            seen.append(1)
            raise Outage("gone")
        is_down.append(False)
        leave_effect(recorded)

    seen = []
    monkeypatch.setattr("events.rabbitmq.consuming.OUTAGE_BACK_OFF", THREE_ATTEMPTS)
    subscribed(elsewhere)
    publish([event(0)])

    tally = consume(idle_seconds=1).tally

    assert len(seen) == 4
    assert (tally.handled, tally.failed) == (1, 0)
    assert Effect.objects.get().attempt == 1


def test_an_outage_is_no_death_of_a_message_that_was_delivered_before(
    subscribed, outside, monkeypatch
):
    def elsewhere(recorded):
        seen.append(1)
        if len(seen) <= THREE_ATTEMPTS.attempts + 2:
            raise Outage("gone")
        leave_effect(recorded)

    seen = []
    monkeypatch.setattr("events.rabbitmq.consuming.OUTAGE_BACK_OFF", THREE_ATTEMPTS)
    subscription = subscribed(elsewhere)
    publish([event(0)])
    given_back = outside.get(subscription.queue.name, no_ack=False)
    outside.channel.basic_reject(given_back.delivery_tag, requeue=True)

    tally = consume(idle_seconds=1).tally

    assert (tally.handled, tally.dead_letters) == (1, 0)
    assert not FailedEvent.objects.exists()


def test_a_message_larger_than_this_project_publishes_can_fail_like_any_other(subscribed, outside):
    def fail(recorded):
        raise ValueError("no good")

    subscription = subscribed(fail)
    publish([event(0, data={"name": "x" * 2000, "quantity": 1})])
    outside.publish(b"{" * 2000, key=subscription.queue.name)

    tally = consume(idle_seconds=0.6, max_message_bytes=1000).tally

    assert tally.dead_letters == 2
    assert FailedEvent.objects.count() == 2


def test_when_all_fail_it_is_not_the_messages(subscribed, monkeypatch):
    calls, waits = [], []

    def fail(recorded):
        calls.append(recorded.sequence_number)
        raise ValueError("no good")

    consumption = "events.rabbitmq.consuming.Consumption.back_off"
    monkeypatch.setattr(consumption, lambda self, error: waits.append(len(calls)))
    subscribed(fail, retry=THREE_ATTEMPTS)
    publish(events(12))

    consume(idle_seconds=1)

    assert waits
    # The batch, and then one by one.
    assert waits[0] <= 1 + 5


def test_messages_that_nobody_took_in_time_are_dead_letters(subscribed, outside):
    subscription = subscribed(queue={"message_ttl_seconds": 0.05})
    publish([event(0)])
    eventually(lambda: outside.depth(f"{subscription.queue.name}.dlq") == 1)

    consume()

    row = FailedEvent.objects.get()
    assert (row.error_type, row.error_message) == (
        "RabbitMQ",
        "The broker has given it up: expired.",
    )


def test_delays_are_queues_that_all_subscriptions_share(subscribed, rabbitmq, outside):
    subscribed()
    subscribed(name="tests.others")
    declare_all()

    assert outside.depth(retry_exchange(rabbitmq.exchange, 0.05)) == 0


def test_it_ends_when_it_is_told_to_and_gives_back_what_it_has_not_handled(subscribed, outside):
    stop = []

    def handle_and_stop(recorded):
        leave_effect(recorded)
        stop.append(True)

    subscription = subscribed(handle_and_stop, queue={"prefetch": 10})
    publish(events(10))

    consumer_of(is_stopping=lambda: bool(stop)).run()

    assert len(handled()) == 1
    eventually(lambda: outside.depth(subscription.queue.name) == 9)
