"""Events reach the handlers of durable subscriptions, once and in order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction

from events.bus.subscription import Effects, Start, subscriptions
from events.context import current_context
from events.delivery import worker
from events.delivery.context import current_delivery
from events.delivery.draining import drain
from events.exceptions import DrainFailed, NotInDelivery, UnknownSubscription
from events.models import Lane, SubscriptionState
from events.streams import StreamName
from tests.delivery.conftest import effects
from tests.effects.models import Effect, leave_effect
from tests.factories import cart, item_added, item_removed, items

pytestmark = pytest.mark.django_db


def test_events_are_handled_in_their_order(store, subscribed):
    subscribed()
    store.append(cart(1), items(2))
    store.append(cart(2), items(1))
    store.append(cart(1), items(1))

    assert drain().handled == 4
    assert effects() == [("cart-1", 0), ("cart-1", 1), ("cart-2", 0), ("cart-1", 2)]


def test_what_was_handled_is_not_handled_again(store, subscribed):
    subscribed()
    store.append(cart(1), items(2))
    drain()
    store.append(cart(1), items(1))

    assert drain().handled == 1
    assert effects() == [("cart-1", 0), ("cart-1", 1), ("cart-1", 2)]


def test_there_is_nothing_to_do_without_events(store, subscribed):
    subscribed()

    assert drain().handled == 0


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", [0, 1, 2, 3]),
        ("tests.ItemAdded", [0, 2]),
        ("Cart.*", [0, 1]),
        ("Cart.tests.ItemAdded", [0]),
        ("Order.*", []),
    ],
)
@pytest.mark.parametrize("lanes", [1, 3])
def test_a_subscription_gets_what_its_pattern_matches(store, subscribed, pattern, expected, lanes):
    subscribed(pattern, lanes=lanes)
    positions = [
        store.append(stream, [make()]).positions[0]
        for stream in (cart(1), StreamName("Shelf", "1"))
        for make in (item_added, item_removed)
    ]

    drain()

    handled = set(Effect.objects.values_list("position", flat=True))
    assert handled == {positions[number] for number in expected}


def test_several_patterns_make_one_subscription(store, subscribed):
    subscribed(("tests.ItemAdded", "Shelf.*"))
    store.append(cart(1), [item_added(), item_removed()])
    store.append(StreamName("Shelf", "1"), [item_added(), item_removed()])

    drain()

    assert effects() == [("cart-1", 0), ("1", 0), ("1", 1)]


def test_a_filter_lets_events_through_or_not(store, subscribed):
    subscribed(filter=lambda event: event.sequence_number % 2 == 1)
    store.append(cart(1), items(5))

    assert drain().handled == 2
    assert effects() == [("cart-1", 1), ("cart-1", 3)]
    store.append(cart(1), items(1))
    assert drain().handled == 1


def test_events_that_a_handler_appends_are_handled_too(store, subscribed):
    def reply(event):
        if event.event_type == "tests.ItemAdded":
            store.append(event.stream, [item_removed()])
        leave_effect(event)

    subscribed(handler=reply)
    store.append(cart(1), items(2))

    assert drain().handled == 4
    assert effects() == [("cart-1", 0), ("cart-1", 1), ("cart-1", 2), ("cart-1", 3)]


def test_what_a_handler_does_is_caused_by_its_event(store, subscribed):
    seen = []
    subscribed(handler=lambda event: seen.append(current_context()))
    store.append(
        cart(1),
        [item_added(metadata={"correlation_id": "c-1", "user_id": "ann"}), item_added()],
    )

    drain()

    events = list(store.read_stream(cart(1)))
    assert [(each.correlation_id, each.user_id) for each in seen] == [
        ("c-1", "ann"),
        (events[1].metadata["correlation_id"], None),
    ]
    assert [each.causation_id for each in seen] == [str(event.event_id) for event in events]


def test_a_handler_knows_its_delivery(store, subscribed):
    seen = []
    subscribed(handler=lambda event: seen.append(current_delivery()), timeout_seconds=7)
    store.append(cart(1), items(1))

    drain()

    [delivery] = seen
    event_id = delivery.event.event_id
    assert (delivery.subscription, delivery.attempt) == ("tests.effects", 1)
    assert delivery.idempotency_key == f"tests.effects:{event_id}"
    assert 0 < delivery.remaining_seconds <= 7
    with pytest.raises(NotInDelivery):
        current_delivery()


@pytest.mark.parametrize(("start", "expected"), [(Start.BEGINNING, 3), (Start.NOW, 1), (2, 2)])
def test_a_subscription_begins_where_it_says(store, subscribed, start, expected):
    positions = store.append(cart(1), items(2)).positions
    subscribed(start=positions[1] if start == 2 else start)
    drain()
    store.append(cart(1), items(1))

    drain()

    assert len(effects()) == expected


def test_it_begins_there_only_once(store, subscribed):
    subscribed(start=Start.NOW)
    drain()
    store.append(cart(1), items(1))
    subscriptions.remove("tests.effects")
    subscribed(start=Start.NOW)

    assert drain().handled == 1


def test_a_batch_handler_gets_lists(store, subscribed):
    seen = []
    subscribed(
        handler=lambda events: seen.append([event.sequence_number for event in events]),
        in_batches=True,
        batch_size=3,
    )
    store.append(cart(1), items(7))

    assert drain().handled == 7
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]


def test_lanes_share_the_streams_among_them(store, subscribed):
    subscribed(lanes=4)
    for number in range(40):
        store.append(cart(number), items(2))

    assert drain().handled == 80
    handled = effects()
    assert len(set(handled)) == 80
    for number in range(40):
        assert [each for each in handled if each[0] == f"cart-{number}"] == [
            (f"cart-{number}", 0),
            (f"cart-{number}", 1),
        ]
    counts = Lane.objects.order_by("number").values_list("handled", flat=True)
    assert len(counts) == 4
    assert all(counts)


def test_subscriptions_of_higher_priority_are_drained_first(store, subscribed):
    order = []
    subscribed(handler=lambda event: order.append("low"), name="low", priority=1)
    subscribed(handler=lambda event: order.append("high"), name="high", priority=10)
    store.append(cart(1), items(1))

    drain()

    assert order == ["high", "low"]


def test_only_the_named_ones_are_drained_if_asked(store, subscribed):
    subscribed(name="one")
    subscribed(name="two")
    store.append(cart(1), items(1))

    assert drain("two").handled == 1
    assert effects("one") == []
    assert effects("two") == [("cart-1", 0)]
    with pytest.raises(UnknownSubscription, match="three"):
        drain("three")


def test_an_append_that_is_rolled_back_is_never_handled(store, subscribed):
    subscribed()
    with transaction.atomic():
        store.append(cart(1), items(1))
        transaction.set_rollback(True)

    assert drain().handled == 0


def test_external_effects_are_had_outside_of_a_transaction(store, subscribed, transactional_db):
    seen = []
    subscribed(
        handler=lambda event: seen.append(transaction.get_connection().in_atomic_block),
        effects=Effects.EXTERNAL,
    )
    store.append(cart(1), items(2))

    assert drain().handled == 2
    assert seen == [False, False]


def test_a_paused_subscription_is_left_alone(store, subscribed):
    subscribed()
    drain()
    SubscriptionState.objects.update(status="paused")
    store.append(cart(1), items(1))

    assert drain().handled == 0
    SubscriptionState.objects.update(status="active")
    assert drain().handled == 1


def test_draining_reports_what_failed(store, subscribed):
    subscribed(handler=lambda event: 1 / 0)
    store.append(cart(1), items(1))

    with pytest.raises(DrainFailed) as caught:
        drain()

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert drain(raise_errors=False).failed == 0  # waits for its retry


def test_counters_say_what_was_done(store, subscribed):
    subscribed()
    before = datetime.now(UTC)
    last = store.append(cart(1), items(3)).positions[-1]

    drain()

    lane = Lane.objects.get()
    assert (lane.handled, lane.failed_attempts, lane.position) == (3, 0, last)
    assert lane.handler_seconds > 0
    assert lane.token is None
    assert lane.updated_at >= before.replace(microsecond=0)


@pytest.mark.parametrize(
    ("patience_seconds", "order"),
    [(60, ["urgent"] * 3 + ["other"] * 3), (0, ["urgent", "other"] * 3)],
)
def test_what_urgent_subscriptions_lead_to_goes_before_others_for_a_while(
    store, subscribed, monkeypatch, patience_seconds, order
):
    monkeypatch.setattr(worker, "PATIENCE_SECONDS", patience_seconds)

    def lead_on(event):
        leave_effect(event)
        if event.sequence_number < 2:
            store.append(event.stream, items(1))

    subscribed(name="other")
    subscribed(name="urgent", handler=lead_on, priority=5)
    one_worker = worker.Worker()
    one_worker.turn()
    store.append(cart(1), items(1))

    while one_worker.turn():
        pass

    assert list(Effect.objects.order_by("pk").values_list("subscription", flat=True)) == order
