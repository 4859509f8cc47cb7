"""Operators pause, resume, reset and forget whole subscriptions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.bus.retry import RetryPolicy
from events.bus.subscription import Delivery, Start, subscriptions
from events.delivery import lanes, operations
from events.delivery.draining import drain
from events.delivery.worker import Worker
from events.exceptions import InvalidInput, UnknownSubscription
from events.models import FailedEvent, Lane, OperatorAction, SubscriptionState
from tests.delivery.conftest import effects
from tests.factories import cart, items

pytestmark = pytest.mark.django_db

NAME = "tests.effects"
WHO = {"actor": "ann", "reason": "the mail server moves"}


def reset(to):
    operations.reset(NAME, to=to, **WHO)


def positions():
    return list(Lane.objects.order_by("number").values_list("position", flat=True))


def test_a_paused_subscription_handles_nothing_until_it_is_resumed(store, subscribed):
    subscribed()
    store.append(cart(1), items(1))
    drain()
    operations.pause(NAME, **WHO)
    store.append(cart(1), items(2))

    assert drain().handled == 0
    state = SubscriptionState.objects.get()
    assert (state.status, state.reason) == ("paused", "the mail server moves")
    operations.resume(NAME, actor="ann")
    assert drain().handled == 2
    assert SubscriptionState.objects.get().reason == ""


def test_a_subscription_can_be_paused_before_it_was_ever_run(store, subscribed):
    subscribed(lanes=2)
    store.append(cart(1), items(1))

    operations.pause(NAME, **WHO)

    assert drain().handled == 0
    operations.resume(NAME, actor="ann")
    assert drain().handled == 1


def test_resuming_ends_a_back_off(store, subscribed):
    subscribed()
    store.append(cart(1), items(1))
    operations.pause(NAME, **WHO)
    Lane.objects.update(not_before=datetime.now(UTC) + timedelta(hours=1), outages=3)

    operations.resume(NAME, actor="ann")

    assert drain().handled == 1


def test_a_worker_hears_of_a_reset_without_new_events(store, subscribed, monkeypatch):
    monkeypatch.setattr("events.delivery.worker.REFRESH_SECONDS", 0)
    subscribed()
    store.append(cart(1), items(2))
    worker = Worker(store=store)
    while worker.turn():
        pass

    reset(Start.BEGINNING)
    while worker.turn():
        pass

    assert effects() == [("cart-1", 0), ("cart-1", 1)] * 2


@pytest.mark.parametrize("count", [1, 3])
def test_a_subscription_can_begin_anew(store, subscribed, count):
    subscribed(lanes=count)
    for number in range(6):
        store.append(cart(number), items(1))
    drain()

    reset(Start.BEGINNING)

    assert positions() == [0] * count
    assert drain().handled == 6


def test_a_subscription_can_go_on_from_a_position_or_from_now(store, subscribed):
    subscribed()
    appended = store.append(cart(1), items(4)).positions
    drain()

    reset(appended[2])
    assert drain().handled == 2
    reset(1)
    reset(Start.NOW)
    assert drain().handled == 0
    reset(appended[-1] + 1)
    assert positions() == [appended[-1]]


def test_failed_events_are_forgotten_by_a_reset(store, subscribed):
    subscribed(handler=lambda event: 1 / 0, retry=RetryPolicy(attempts=1))
    store.append(cart(1), items(3))
    drain(raise_errors=False)
    Lane.objects.update(outages=2, failure_streak=6, attempted_to=1, attempts=2)
    subscriptions.remove(NAME)
    subscribed()

    reset(Start.BEGINNING)

    assert not FailedEvent.objects.exists()
    assert drain().handled == 3
    assert effects() == [("cart-1", 0), ("cart-1", 1), ("cart-1", 2)]


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (2, 3)])
def test_a_reset_takes_over_the_number_of_lanes(store, subscribed, before, after):
    subscribed(lanes=before)
    for number in range(10):
        store.append(cart(number), items(1))
    drain()
    subscribed(lanes=after)

    reset(Start.BEGINNING)

    assert list(Lane.objects.order_by("number").values_list("number", flat=True)) == list(
        range(after)
    )
    assert drain().handled == 10


def test_a_worker_that_counts_other_lanes_than_there_are_gets_none(store, subscribed):
    subscription = subscribed(lanes=1)
    drain()
    subscription = subscribed(lanes=2)
    reset(Start.BEGINNING)

    assert lanes.acquire(subscription, 0, 1) is None
    assert Lane.objects.filter(token=None).count() == 2
    assert lanes.acquire(subscription, 0, 2) is not None


@pytest.mark.parametrize("to", [0, -1, 10**9, True, "now", 1.5, None])
def test_a_place_that_is_not_in_the_log_is_refused(store, subscribed, to):
    subscribed()
    store.append(cart(1), items(2))
    drain()
    before = positions()

    with pytest.raises(InvalidInput, match="to:"):
        reset(to)

    assert positions() == before
    assert not OperatorAction.objects.exists()


def test_a_subscription_without_code_can_be_forgotten(store, subscribed):
    subscribed(handler=lambda event: 1 / 0)
    store.append(cart(1), items(1))
    drain(raise_errors=False)
    subscriptions.remove(NAME)

    operations.forget(NAME, **WHO)

    assert not SubscriptionState.objects.exists()
    assert not Lane.objects.exists()
    assert not FailedEvent.objects.exists()
    action = OperatorAction.objects.get()
    assert (action.action, action.details["failed_events"]) == ("forget", 1)


def test_a_subscription_with_code_is_not_forgotten(store, subscribed):
    subscribed()
    drain()

    with pytest.raises(InvalidInput, match="reset"):
        operations.forget(NAME, **WHO)

    assert SubscriptionState.objects.exists()


@pytest.mark.parametrize(
    "operate",
    [
        lambda name: operations.pause(name, **WHO),
        lambda name: operations.resume(name, **WHO),
        lambda name: operations.reset(name, to=Start.NOW, **WHO),
        lambda name: operations.forget(name, **WHO),
    ],
    ids=["pause", "resume", "reset", "forget"],
)
def test_an_unknown_name_is_refused_with_the_known_ones(store, subscribed, operate):
    subscribed()
    subscribed(name="stored")
    drain()
    subscriptions.remove("stored")
    subscribed(name="in.process", delivery=Delivery.LOCAL, retry=RetryPolicy(attempts=1))

    for name in ("tests.efects", "in.process"):
        with pytest.raises(UnknownSubscription, match=r"Known are stored, tests\.effects"):
            operate(name)

    assert not OperatorAction.objects.exists()


@pytest.mark.parametrize(
    "operate",
    [
        lambda reason: operations.pause(NAME, actor="ann", reason=reason),
        lambda reason: operations.reset(NAME, to=1, actor="ann", reason=reason),
        lambda reason: operations.forget(NAME, actor="ann", reason=reason),
    ],
    ids=["pause", "reset", "forget"],
)
def test_a_reason_is_required(store, subscribed, operate):
    subscribed()
    with pytest.raises(InvalidInput, match="reason"):
        operate(" ")


def test_each_operation_is_written_down(store, subscribed):
    subscribed()
    store.append(cart(1), items(1))
    drain()
    [last] = positions()

    operations.pause(NAME, **WHO)
    reset(Start.BEGINNING)
    operations.resume(NAME, actor="bob")

    actions = OperatorAction.objects.order_by("pk")
    assert [(each.action, each.subscription, each.actor) for each in actions] == [
        ("pause", NAME, "ann"),
        ("reset", NAME, "ann"),
        ("resume", NAME, "bob"),
    ]
    assert actions[1].details == {
        "status_before": "paused",
        "reason_before": "the mail server moves",
        "positions": {"0": last},
        "to": 0,
    }
