"""A subscription that the code doesn't know for a while loses nothing."""

from __future__ import annotations

import pytest

from events.bus.subscription import subscriptions
from events.delivery.draining import drain
from events.models import FailedEvent
from tests.delivery.conftest import effects
from tests.effects.models import leave_effect
from tests.factories import cart, items

pytestmark = pytest.mark.django_db


def other_handler(event):
    leave_effect(event, note="other")


def test_a_subscription_goes_on_when_its_handler_is_back(store, subscribed):
    subscribed()
    store.append(cart(1), items(2))
    drain()
    subscriptions.remove("tests.effects")
    store.append(cart(1), items(2))
    assert drain().handled == 0
    subscribed()

    assert drain().handled == 2
    assert effects() == [("cart-1", number) for number in range(4)]


def test_a_handler_of_another_name_goes_on_where_the_subscription_was(store, subscribed):
    subscribed()
    store.append(cart(1), items(1))
    drain()
    subscriptions.remove("tests.effects")
    subscribed(handler=other_handler)
    store.append(cart(1), items(1))

    assert drain().handled == 1
    assert effects() == [("cart-1", 0), ("cart-1", 1)]


def test_what_had_failed_waits_for_the_handler(store, subscribed):
    subscribed(handler=lambda event: 1 / 0)
    store.append(cart(1), items(2))
    drain(raise_errors=False)
    subscriptions.remove("tests.effects")
    drain(retries=True)
    assert FailedEvent.objects.get().status == "retrying"
    subscribed()

    drain(retries=True)

    assert effects() == [("cart-1", 0), ("cart-1", 1)]
    assert not FailedEvent.objects.exists()
