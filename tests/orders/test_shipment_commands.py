"""Parcels arranged and called back: the carrier asked first, its answer recorded, each once."""

from __future__ import annotations

from uuid import UUID

import pytest

from events.exceptions import AggregateNotFound
from orders.exceptions import EffectKeyReused, GatewayTimeout, GatewayUnavailable, UndoRefused
from orders.models import ShipmentLedgerEntry
from tests.orders.shop import (
    ORDER,
    cancel,
    cancel_shipping,
    event_names,
    history,
    parcels_under_way,
    place,
    ship,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _order(db: None) -> None:
    place()


def replies() -> list[str]:
    return event_names("Shipment")


def test_an_order_is_sent_once():
    for _ in range(3):
        assert ship().value == {"reply": "ShippingArranged"}
    [reply] = history("Shipment")
    number = f"SIM{ShipmentLedgerEntry.objects.get().pk:010}"
    assert reply.data == {"order_id": str(ORDER), "tracking_number": number}
    assert parcels_under_way() == 1


@pytest.mark.parametrize("place_", [{"city": "declined"}, {"country": "AQ"}], ids=str)
def test_a_destination_that_is_not_served_is_a_fact(place_):
    for _ in range(2):
        assert ship(**place_).value == {"reply": "ShippingFailed"}
    assert replies() == ["ShippingFailed"]
    assert history("Shipment")[0].data["reason"] == "destination_not_served"
    assert parcels_under_way() == 0


def test_a_parcel_is_called_back_once():
    ship()
    cancel_shipping()
    cancel_shipping()
    assert replies() == ["ShippingArranged", "ShippingCancelled"]
    numbers = [recorded.data["tracking_number"] for recorded in history("Shipment")]
    assert numbers[0] == numbers[1]
    assert parcels_under_way() == 0


def test_a_parcel_is_not_sent_after_it_was_called_back():
    cancel_shipping()
    for _ in range(2):
        assert ship().value == {"reply": "ShippingFailed"}
    assert replies() == ["ShippingCancelled", "ShippingFailed"]
    assert history("Shipment")[0].data["tracking_number"] is None
    assert parcels_under_way() == 0


def test_a_parcel_of_which_the_answer_was_lost_is_told_of_when_asked_again():
    with pytest.raises(GatewayTimeout):
        ship(city="late_answer")
    assert (parcels_under_way(), replies()) == (1, [])
    ship(city="late_answer")
    assert (parcels_under_way(), replies()) == (1, ["ShippingArranged"])


def test_a_parcel_of_which_the_answer_was_lost_is_called_back_all_the_same():
    with pytest.raises(GatewayTimeout):
        ship(city="late_answer")
    cancel_shipping()
    assert (parcels_under_way(), replies()) == (0, ["ShippingArranged", "ShippingCancelled"])


def test_a_carrier_that_fails_for_a_while_is_asked_again():
    with pytest.raises(GatewayUnavailable):
        ship(city="error_1")
    assert (parcels_under_way(), replies()) == (0, [])
    ship(city="error_1")
    assert (parcels_under_way(), replies()) == (1, ["ShippingArranged"])


def test_a_parcel_that_cannot_be_called_back_stays_under_way():
    ship(city="Akureyri+cancel_declined")
    with pytest.raises(UndoRefused):
        cancel_shipping()
    assert (parcels_under_way(), replies()) == (1, ["ShippingArranged"])


def test_another_address_for_the_same_order_is_refused():
    ship()
    with pytest.raises(EffectKeyReused):
        ship(street="Aðalgata 2")
    assert parcels_under_way() == 1


def test_a_cancelled_order_is_not_sent():
    cancel()
    assert ship().value == {"reply": "ShippingFailed"}
    assert replies() == ["ShippingCancelled", "ShippingFailed"]
    assert parcels_under_way() == 0


def test_a_parcel_of_which_the_answer_was_lost_is_called_back_when_the_order_was_cancelled():
    with pytest.raises(GatewayTimeout):
        ship(city="late_answer")
    cancel()
    ship(city="late_answer")
    assert replies() == ["ShippingArranged", "ShippingCancelled"]
    assert parcels_under_way() == 0


def test_nothing_is_sent_for_an_order_that_was_never_placed():
    with pytest.raises(AggregateNotFound):
        ship(UUID(int=1))
    assert not ShipmentLedgerEntry.objects.exists()
