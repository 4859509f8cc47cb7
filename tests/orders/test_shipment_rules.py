"""What the carrier answers is recorded in whatever order it comes, and each thing once."""

from __future__ import annotations

import pytest

from events.testing import given
from orders.aggregates.shipment import Shipment
from orders.events import ShippingArranged, ShippingCancelled, ShippingFailed
from orders.gateways.carriers import Parcel
from tests.orders.shop import ORDER

PARCEL = Parcel(tracking_number="SIM1")
ARRANGED = ShippingArranged(order_id=ORDER, tracking_number="SIM1")
FAILED = ShippingFailed(order_id=ORDER, reason="destination_not_served")
CANCELLED = ShippingCancelled(order_id=ORDER, tracking_number="SIM1")
NOTHING_CANCELLED = ShippingCancelled(order_id=ORDER, tracking_number=None)


def shipment(*history):
    return given(Shipment, str(ORDER), *history)


def test_a_parcel_is_recorded():
    (
        shipment()
        .when(lambda shipment: shipment.record_parcel(PARCEL))
        .then(ARRANGED)
        .then_state(reply="ShippingArranged", tracking_number="SIM1")
    )


def test_a_failure_is_recorded():
    (
        shipment()
        .when(lambda shipment: shipment.record_failure("destination_not_served"))
        .then(FAILED)
        .then_state(reply="ShippingFailed", tracking_number=None)
    )


def test_a_cancellation_is_recorded():
    (
        shipment(ARRANGED)
        .when(lambda shipment: shipment.record_cancellation(PARCEL))
        .then(CANCELLED)
        .then_state(tracking_number=None, is_closed=True)
    )


@pytest.mark.parametrize("history", [[], [FAILED]], ids=["nothing", "failed"])
def test_the_cancellation_of_what_was_never_arranged_is_a_fact(history):
    (
        shipment(*history)
        .when(lambda shipment: shipment.record_cancellation(None))
        .then(NOTHING_CANCELLED)
        .then_state(is_closed=True)
    )


@pytest.mark.parametrize(
    ("history", "repeat"),
    [
        ([ARRANGED], lambda shipment: shipment.record_parcel(PARCEL)),
        ([ARRANGED, CANCELLED], lambda shipment: shipment.record_parcel(PARCEL)),
        ([ARRANGED, CANCELLED], lambda shipment: shipment.record_cancellation(PARCEL)),
        ([FAILED], lambda shipment: shipment.record_failure("other")),
        ([ARRANGED], lambda shipment: shipment.record_failure("other")),
        ([NOTHING_CANCELLED], lambda shipment: shipment.record_cancellation(None)),
    ],
)
def test_what_is_recorded_already_is_not_recorded_again(history, repeat):
    shipment(*history).when(repeat).then_nothing()


def test_a_parcel_that_only_the_cancellation_tells_of_is_recorded_before_it():
    (
        shipment()
        .when(lambda shipment: shipment.record_cancellation(PARCEL))
        .then(ARRANGED, CANCELLED)
        .then_state(tracking_number=None)
    )


def test_a_parcel_that_a_carrier_took_against_its_word_is_recorded_and_can_be_called_back():
    (
        shipment(NOTHING_CANCELLED)
        .when(lambda shipment: shipment.record_parcel(PARCEL))
        .then(ARRANGED)
        .then_state(tracking_number="SIM1")
    )
    shipment(FAILED, NOTHING_CANCELLED, ARRANGED).when(
        lambda shipment: shipment.record_cancellation(PARCEL)
    ).then(CANCELLED)
