"""How an order's saga ended is said in the stream of the order, also where that was by force."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.delivery.draining import drain
from sagas import operations
from sagas.clock import database_time
from sagas.models import SagaInstance
from sagas.timers import fire_timers
from tests.orders.shop import ORDER, address, event_names, place, receive

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_end_by_force_is_told():
    receive(pen=5)
    place(payment_method="card+refund_declined", shipping_address=address(country="AQ"))
    drain()
    for _ in range(30):
        fire_timers(database_time() + timedelta(days=1))
        drain()
    assert SagaInstance.objects.get().status == "needs_intervention"
    assert "OrderProcessingFailed" not in event_names("Order")

    operations.abort(f"OrderProcessing:{ORDER}", operator="ann", reason="paid in cash", force=True)
    drain()

    assert SagaInstance.objects.get().status == "failed"
    assert event_names("Order").count("OrderProcessingFailed") == 1
