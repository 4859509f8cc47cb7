"""Inline and local subscriptions: called by the append itself, or after its commit."""

from __future__ import annotations

import pytest
from django.db import transaction

from events.bus.dispatcher import local_bus
from events.bus.retry import RetryPolicy
from events.bus.subscription import Delivery, Start, subscribe, subscriptions
from events.context import current_context
from events.exceptions import InvalidInput, RegistrationError
from events.signals import events_committed, handler_failed
from tests.effects.models import Effect
from tests.factories import cart, item_added, item_removed, items

pytestmark = pytest.mark.usefixtures("no_other_subscriptions")


def note_in(rows):
    return lambda event: rows.append((event.aggregate_id, event.sequence_number))


def leave(event):
    Effect.objects.create(
        subscription="inline",
        aggregate_id=event.aggregate_id,
        sequence_number=event.sequence_number,
        position=event.position,
        attempt=1,
    )


def test_an_inline_handler_is_part_of_the_append(store):
    subscribe("Cart.*", leave, name="inline", delivery=Delivery.INLINE)

    with transaction.atomic():
        store.append(cart(1), items(2))
        assert Effect.objects.count() == 2
        transaction.set_rollback(True)

    assert Effect.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_inline_handler_that_raises_undoes_the_append(store):
    subscribe("*", leave, name="inline", delivery=Delivery.INLINE, priority=1)
    subscribe("*", lambda event: 1 / 0, name="fails", delivery=Delivery.INLINE)

    with pytest.raises(ZeroDivisionError):
        store.append(cart(1), items(2))

    assert Effect.objects.count() == 0
    assert store.stream_version(cart(1)) == -1


def test_inline_handlers_are_called_by_priority_for_what_they_want(store):
    calls = []
    for name, priority, pattern in [
        ("low", 1, "*"),
        ("high", 9, "*"),
        ("other", 5, "tests.ItemRemoved"),
    ]:
        subscribe(
            pattern,
            lambda event, name=name: calls.append((name, event.sequence_number)),
            name=name,
            priority=priority,
            delivery=Delivery.INLINE,
        )
    store.append(cart(1), [item_added(), item_removed()])

    assert calls == [("high", 0), ("low", 0), ("high", 1), ("other", 1), ("low", 1)]


@pytest.mark.django_db(transaction=True)
def test_a_local_handler_is_called_after_the_commit(store):
    seen = []
    subscribe("*", note_in(seen), name="local", delivery=Delivery.LOCAL)

    with transaction.atomic():
        store.append(cart(1), items(2))
        assert seen == []
    assert seen == [("cart-1", 0), ("cart-1", 1)]
    with transaction.atomic():
        store.append(cart(1), items(2))
        transaction.set_rollback(True)
    store.append(cart(2), items(1))
    assert seen == [("cart-1", 0), ("cart-1", 1), ("cart-2", 0)]


@pytest.mark.django_db(transaction=True)
def test_a_local_handler_that_fails_is_reported_and_hurts_nobody(store):
    seen, reported = [], []

    def report(**arguments):
        reported.append((arguments["subscription"].name, str(arguments["error"])))

    handler_failed.connect(report)
    subscribe(
        "*",
        lambda event: 1 / 0,
        name="fails",
        delivery=Delivery.LOCAL,
        priority=5,
        retry=RetryPolicy(attempts=2, first_delay_seconds=0.001),
    )
    subscribe("*", note_in(seen), name="works", delivery=Delivery.LOCAL)

    store.append(cart(1), items(1))

    assert seen == [("cart-1", 0)]
    assert reported == [("fails", "division by zero")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delivery", [Delivery.INLINE, Delivery.LOCAL])
def test_what_a_handler_does_is_caused_by_its_event(store, delivery):
    seen = []
    subscribe("*", lambda event: seen.append(current_context()), name="any", delivery=delivery)
    event = item_added(metadata={"correlation_id": "c-1", "user_id": "ann"})

    store.append(cart(1), [event])

    [context] = seen
    assert (context.correlation_id, context.causation_id) == ("c-1", str(event.event_id))


@pytest.mark.django_db(transaction=True)
def test_committed_events_are_signalled_once_and_only_after_the_commit(store):
    sent = []

    def receive(events, using, **kwargs):
        sent.append(([event.sequence_number for event in events], using))

    events_committed.connect(receive)
    with transaction.atomic():
        first = items(2)
        store.append(cart(1), first)
        assert sent == []
    store.append(cart(1), first)  # a replay stores nothing
    store.append(cart(1), items(1))

    assert sent == [([0, 1], "default"), ([2], "default")]


@pytest.mark.django_db(transaction=True)
def test_a_subscription_that_is_removed_is_not_called(store):
    seen = []
    for delivery in (Delivery.INLINE, Delivery.LOCAL):
        subscribe("*", note_in(seen), name=delivery.value, delivery=delivery)
    for delivery in (Delivery.INLINE, Delivery.LOCAL):
        assert subscriptions.remove(delivery.value)
    store.append(cart(1), items(1))

    assert seen == []
    assert not subscriptions.remove("inline")
    assert "local" not in {each.name for each in local_bus.metrics().subscriptions}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "two words"}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"delivery": "durable"}, "delivery"),
        ({"priority": 1.5}, "priority"),
        ({"filter": 1}, "filter"),
        ({"retry": 3}, "retry"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"start": 0}, "start"),
        ({"start": "now"}, "start"),
        ({"lanes": 0}, "lanes"),
        ({"lanes": 65}, "lanes"),
        ({"in_batches": 1}, "in_batches"),
        ({"batch_size": 0}, "batch_size"),
        ({"effects": "external"}, "effects"),
        ({"on_failure": None}, "on_failure"),
        ({"delivery": Delivery.INLINE, "start": Start.NOW}, "start"),
        ({"delivery": Delivery.LOCAL, "lanes": 2}, "lanes"),
        ({"delivery": Delivery.INLINE, "retry": RetryPolicy(attempts=2)}, "retry"),
    ],
)
def test_what_cannot_be_is_refused_by_name(options, field):
    with pytest.raises(InvalidInput) as caught:
        subscribe("*", print, **{"name": "any"} | options)

    assert caught.value.field == field
    assert not list(subscriptions)


def test_a_name_is_taken_once():
    subscribe("*", leave, name="same")
    subscribe("*", leave, name="same")  # as when a module is imported again

    with pytest.raises(RegistrationError, match="same"):
        subscribe("*", print, name="same")
