"""Queues whose events are handled in the order of their streams, by the durable engine."""

from __future__ import annotations

import pytest

from events.bus.retry import RetryPolicy
from events.bus.subscription import Start
from events.delivery import dead_letters
from events.delivery.metrics import snapshot
from events.delivery.operations import reset
from events.models import DeadMessage, FailedEvent, InboxEntry, Lane, ReceivedEvent
from events.rabbitmq import inbox
from events.rabbitmq.received import ReceivedEvents
from tests.effects.models import leave_effect
from tests.processes import eventually
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

TWO_ATTEMPTS = RetryPolicy(attempts=2, first_delay_seconds=3600, max_delay_seconds=3600)


@pytest.fixture
def ordered(subscribed):
    def ordered(handler=leave_effect, **options):
        return subscribed(handler, queue={"ordered": True}, **{"retry": TWO_ATTEMPTS} | options)

    return ordered


class Fragile:
    def __init__(self, *bad):
        self.bad = set(bad)

    def __call__(self, recorded):
        leave_effect(recorded)
        if (recorded.aggregate_id, recorded.sequence_number) in self.bad:
            raise ValueError("no good")


def test_events_are_handled_in_the_order_of_their_arrival(ordered, outside):
    subscription = ordered()
    publish([*events(3, stream=1), *events(3, stream=2)])

    tally = consume().tally

    assert tally.received == 6
    assert handled() == [(f"cart-{stream}", n) for stream in (1, 2) for n in range(3)]
    assert outside.depth(subscription.queue.name) == 0


def test_a_message_again_is_received_once(ordered):
    ordered()
    sent = events(3)
    publish([*sent, sent[0], *sent])

    consume()
    publish(sent)
    consume()

    assert handled() == [("cart-1", number) for number in range(3)]
    assert ReceivedEvent.objects.count() == 3


def test_behind_an_event_that_fails_its_stream_waits_and_others_go_on(ordered):
    fragile = Fragile(("cart-1", 1))
    ordered(fragile)
    publish([*events(3, stream=1), *events(2, stream=2)])

    consume()

    assert handled() == [("cart-1", 0), ("cart-2", 0), ("cart-2", 1)]
    row = FailedEvent.objects.get()
    assert (row.status, row.blocks, row.sequence_number) == ("retrying", True, 1)
    assert [each.sequence_number for each in dead_letters.waiting_behind(row, 9)] == [2]

    fragile.bad.clear()
    dead_letters.retry(dead_letters.choose(dead_letters.find()), actor="ann")
    consume(idle_seconds=1)

    assert handled()[3:] == [("cart-1", 1), ("cart-1", 2)]
    assert not FailedEvent.objects.exists()


def test_one_that_is_discarded_lets_its_stream_go_on(ordered):
    ordered(Fragile(("cart-1", 0)), retry=RetryPolicy(attempts=1))
    publish(events(3))
    consume()
    row = FailedEvent.objects.get()
    assert dead_letters.data_to_edit(row) == {"name": "item 0", "quantity": 1}

    dead_letters.discard(dead_letters.choose(dead_letters.find()), actor="ann", reason="not needed")
    consume(idle_seconds=1)

    assert handled() == [("cart-1", 1), ("cart-1", 2)]


def test_what_holds_no_event_is_a_dead_letter_and_goes_back_to_the_queue(ordered, outside):
    subscription = ordered()
    declare_all()
    outside.publish(b"no JSON", key=subscription.queue.name)
    publish(events(2))
    consume()

    assert len(handled()) == 2
    assert DeadMessage.objects.get().queue == subscription.queue.name
    dead_letters.retry(dead_letters.choose(dead_letters.find()), actor="ann")
    assert consume().tally.redriven == 1
    assert FailedEvent.objects.get().status == "dead"


def test_lanes_share_the_streams(ordered):
    ordered(lanes=3)
    publish([each for stream in range(6) for each in events(2, stream)])

    consume(idle_seconds=0.6)

    assert Lane.objects.count() == 3
    for stream in range(6):
        mine = [number for cart, number in handled() if cart == f"cart-{stream}"]
        assert mine == [0, 1]


def test_a_reset_handles_what_was_received_again(ordered):
    subscription = ordered()
    publish(events(2))
    consume()

    reset(subscription.name, to=Start.BEGINNING, actor="ann", reason="once more")
    consume()

    assert [number for _, number in handled()] == [0, 1, 0, 1]


def test_its_lag_is_that_of_what_was_received(ordered, store):
    subscription = ordered()
    publish(events(2))
    consume()

    [found] = snapshot(subscription.name)
    mark = ReceivedEvents(subscription.name).high_water_mark()

    assert [(lane.position, lane.lag) for lane in found.lanes] == [(mark, 0)]
    assert found.handled == 2


def test_only_one_consumer_gets_messages_and_another_takes_over(ordered, outside):
    subscription = ordered()
    declare_all()
    first = outside.channel.connection.channel()
    got = []
    first.basic_qos(0, 1, False)
    first.basic_consume(subscription.queue.name, callback=got.append)
    publish(events(3))
    eventually(lambda: bool(got or drain_one(outside)))

    assert consume().tally.received == 0
    first.close()

    assert consume().tally.received == 3
    assert handled() == [("cart-1", number) for number in range(3)]


def drain_one(outside):
    try:
        outside.channel.connection.drain_events(timeout=0.05)
    except TimeoutError:
        return False
    return False


def test_old_entries_are_removed_when_nobody_needs_them(ordered, subscribed):
    name = ordered().name
    subscribed(name="tests.others")
    publish(events(3))
    consume()
    mark = ReceivedEvents(name).high_water_mark()

    assert inbox.tidy(days=1) == 0
    assert inbox.tidy_received(name, 1, mark) == 0
    assert inbox.tidy_received(name, -1, mark - 1) == 2
    assert inbox.tidy(days=-1) == 3
    assert not InboxEntry.objects.exists()


def test_more_old_entries_than_are_removed_at_once_are_removed_without_a_wait(
    ordered, subscribed, monkeypatch
):
    ordered()
    subscribed(name="tests.others")
    publish(events(10))
    consume()
    monkeypatch.setattr(inbox, "TOGETHER", 3)
    tidied = [inbox.tidy, inbox.tidy_received]
    monkeypatch.setattr(inbox, "tidy", lambda days: tidied[0](-1))
    monkeypatch.setattr(
        inbox, "tidy_received", lambda name, days, up_to: tidied[1](name, -1, up_to)
    )
    consumer = consumer_of()
    consumer._tidied_at = float("-inf")

    consumer.run(idle_seconds=1.5)

    assert InboxEntry.objects.count() == ReceivedEvent.objects.count() == 0


def test_events_that_are_not_for_it_are_not_kept(ordered, rabbitmq, outside):
    subscription = ordered(pattern="tests.Measured")
    declare_all()
    outside.channel.queue_bind(subscription.queue.name, rabbitmq.exchange, "#")
    publish([event(0), event(1, event_type="tests.Measured")])

    consume()

    assert ReceivedEvent.objects.get().event_type == "tests.Measured"
    assert consumer_of().tally.failed == 0
