"""A process that dies after the foreign system has acted, and before an event says so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.handlers import payments, shipments
from tests.orders.shop import (
    cancel_shipping,
    event_names,
    money_recorded,
    money_taken,
    parcels_under_way,
    pay,
    place,
    refund,
    ship,
)
from tests.processes import new_event, running

pytestmark = pytest.mark.django_db(transaction=True)


def pay_and_stop_before_the_commit(reached: Any, never: Any) -> None:
    stop_when_saving(payments.payments, "save", reached, never)
    pay()


def ship_and_stop_before_the_commit(reached: Any, never: Any) -> None:
    stop_when_saving(shipments, "save_all", reached, never)
    ship()


def stop_when_saving(owner: Any, name: str, reached: Any, never: Any) -> None:
    save = getattr(owner, name)

    def save_and_stop(*arguments: Any) -> None:
        save(*arguments)
        reached.set()
        never.wait(30)

    setattr(owner, name, save_and_stop)


def die_in(function: Any) -> None:
    reached, never = new_event(), new_event()
    with running(function, reached, never) as process:
        assert reached.wait(30)
        process.kill()


def test_a_charge_is_told_of_by_the_next_attempt():
    place()
    die_in(pay_and_stop_before_the_commit)
    assert (money_taken(), event_names("Payment")) == (Decimal("3.00"), [])
    pay()
    assert event_names("Payment") == ["PaymentProcessed"]
    assert money_taken() == money_recorded() == Decimal("3.00")


def test_a_charge_that_nobody_asks_for_again_is_refunded():
    place()
    die_in(pay_and_stop_before_the_commit)
    refund()
    assert event_names("Payment") == ["PaymentProcessed", "PaymentRefunded"]
    assert money_taken() == money_recorded() == 0


def test_a_parcel_is_told_of_by_the_next_attempt():
    place()
    die_in(ship_and_stop_before_the_commit)
    assert (parcels_under_way(), event_names("Shipment")) == (1, [])
    ship()
    assert (parcels_under_way(), event_names("Shipment")) == (1, ["ShippingArranged"])


def test_a_parcel_that_nobody_asks_for_again_is_called_back():
    place()
    die_in(ship_and_stop_before_the_commit)
    cancel_shipping()
    assert event_names("Shipment") == ["ShippingArranged", "ShippingCancelled"]
    assert parcels_under_way() == 0
