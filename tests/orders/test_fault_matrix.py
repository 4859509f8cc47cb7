"""Whatever goes wrong with an order, stock and money add up in the end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.handlers.orders import orders
from orders.sagas.orchestrated import OrderSagaOrchestrator
from sagas.state import Status
from sagas.testing.matrix import fault_matrix
from tests.orders.shop import (
    ORDER,
    READ_MODELS,
    money_recorded,
    money_taken,
    parcels_under_way,
    place,
    receive,
    stock,
)
from tests.orders.styles import installed

with installed("choreographed"):  # its reactions are only those of this style
    from orders.sagas.choreographed import OrderProcessingSaga

pytestmark = pytest.mark.django_db


def everything_adds_up(ending):
    if ending.status is Status.COMPLETED:
        assert orders.load(ORDER).status == "completed"
        assert (stock(), money_taken(), parcels_under_way()) == ((3, 2), Decimal("3.00"), 1)
    else:
        assert orders.load(ORDER).status == "cancelled"
        assert (stock(), money_taken(), parcels_under_way()) == ((5, 0), 0, 0)
    assert money_recorded() == money_taken()


def run(fault, style):
    # They are a good half of the work, and only follow.
    with installed(style, without=READ_MODELS):
        receive(pen=5)
        fault.run(start=place, holds=[everything_adds_up])


@pytest.mark.parametrize("fault", fault_matrix(OrderSagaOrchestrator), ids=str)
def test_whatever_happens_to_an_orchestrated_order(fault):
    run(fault, "orchestrated")


@pytest.mark.parametrize("fault", fault_matrix(OrderProcessingSaga), ids=str)
def test_whatever_happens_to_a_choreographed_order(fault):
    run(fault, "choreographed")
