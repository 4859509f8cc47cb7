"""A saga whose code can't take in an event is blocked, mended, released, and goes on to its end."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from django.core.management import call_command

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscriptions
from events.delivery.draining import drain
from events.models import FailedEvent
from orders.events import InventoryReserved
from orders.handlers.orders import orders
from sagas.clock import database_time
from sagas.inputs import Answered
from sagas.instance import Saga
from sagas.models import SagaInstance
from sagas.timers import fire_timers
from tests.orders.shop import ORDER, money_taken, place, receive, stock

pytestmark = pytest.mark.django_db(transaction=True)

INBOX = "sagas.OrderProcessing"


def test_a_blocked_order_is_released_and_goes_on(monkeypatch):
    once = dataclasses.replace(subscriptions.get(INBOX), retry=RetryPolicy(attempts=1))
    monkeypatch.setitem(subscriptions._by_name, INBOX, once)
    with monkeypatch.context() as broken:
        handle = Saga.handle

        def fail(self, given, **options):
            if isinstance(given, Answered) and isinstance(given.event, InventoryReserved):
                raise KeyError("a bug")
            return handle(self, given, **options)

        broken.setattr(Saga, "handle", fail)
        receive(pen=5)
        place()
        drain(raise_errors=False)
    instance = SagaInstance.objects.get()
    assert instance.status == "blocked"
    assert set(FailedEvent.objects.values_list("subscription_id", flat=True)) == {INBOX}
    fire_timers(database_time() + timedelta(hours=1))
    drain()
    assert SagaInstance.objects.get().status == "blocked"

    call_command("sagas", "release", instance.saga_id, "--reason", "mended", "--actor", "ann")
    call_command("dead_letters", "retry", "--all", "-s", INBOX, "--actor", "ann")
    drain()

    assert SagaInstance.objects.get().status == "completed"
    assert orders.load(ORDER).status == "completed"
    assert (stock(), money_taken()) == ((3, 2), 3)
    assert not FailedEvent.objects.exists()
