"""Stock of a product, and what is set aside for an order."""

from __future__ import annotations

import pytest

from events.testing import given
from orders.aggregates.reservation import Reservation
from orders.aggregates.stock import Stock
from orders.events import (
    InventoryReleased,
    InventoryReservationFailed,
    InventoryReserved,
    StockReceived,
    StockReleased,
    StockReserved,
)
from tests.orders.shop import ORDER

RECEIVED = StockReceived(quantity=5)
TAKEN = StockReserved(order_id=ORDER, quantity=3)
GIVEN_BACK = StockReleased(order_id=ORDER, quantity=3)

RESERVED = InventoryReserved(order_id=ORDER, items={"pen": 3, "ink": 1})
FAILED = InventoryReservationFailed(order_id=ORDER, reason="out_of_stock", missing={"ink": 1})
RELEASED = InventoryReleased(order_id=ORDER, items={"pen": 3, "ink": 1})
NOTHING_RELEASED = InventoryReleased(order_id=ORDER, items={})


def test_stock_is_received_reserved_and_released():
    given(Stock, "pen").when(lambda s: s.receive(5)).then(RECEIVED).then_state(available=5)
    (
        given(Stock, "pen", RECEIVED)
        .when(lambda stock: stock.reserve(ORDER, 3))
        .then(TAKEN)
        .then_state(available=2, reserved=3)
    )
    (
        given(Stock, "pen", RECEIVED, TAKEN)
        .when(lambda stock: stock.release(ORDER, 3))
        .then(GIVEN_BACK)
        .then_state(available=5, reserved=0)
    )


@pytest.mark.parametrize(("quantity", "missing"), [(1, 0), (2, 0), (3, 1), (10, 8)])
def test_a_stock_knows_how_many_are_missing(quantity, missing):
    stock = given(Stock, "pen", RECEIVED, TAKEN).when(lambda _: None).aggregate
    assert stock.missing(quantity) == missing


def test_a_stock_never_goes_below_zero():
    stock = Stock("pen")
    stock.receive(5)
    with pytest.raises(ValueError, match="pen: 6 of 5"):
        stock.reserve(ORDER, 6)
    assert (stock.available, stock.reserved) == (5, 0)


def test_the_state_of_a_stock_survives_a_snapshot():
    stock = given(Stock, "pen", RECEIVED, TAKEN).when(lambda _: None).aggregate
    copy = Stock("pen")
    copy.restore(stock.take_snapshot())
    assert (copy.available, copy.reserved) == (2, 3)


def test_a_reservation_is_made():
    (
        given(Reservation, str(ORDER))
        .when(lambda reservation: reservation.reserve({"pen": 3, "ink": 1}))
        .then(RESERVED)
        .then_state(reply="InventoryReserved", items={"pen": 3, "ink": 1})
    )


def test_a_reservation_that_fails_says_what_is_missing():
    (
        given(Reservation, str(ORDER))
        .when(lambda reservation: reservation.fail("out_of_stock", {"ink": 1}))
        .then(FAILED)
        .then_state(reply="InventoryReservationFailed", items={})
    )


def test_a_reservation_is_released_with_all_that_it_held():
    (
        given(Reservation, str(ORDER), RESERVED)
        .when(lambda reservation: reservation.release())
        .then(RELEASED)
        .then_state(items={}, is_released=True, reply="InventoryReserved")
    )


def test_a_reservation_is_released_once():
    given(Reservation, str(ORDER), RESERVED, RELEASED).when(lambda r: r.release()).then_nothing()


@pytest.mark.parametrize("history", [[], [FAILED]], ids=["nothing", "failed"])
def test_the_release_of_what_was_never_reserved_is_a_fact(history):
    (
        given(Reservation, str(ORDER), *history)
        .when(lambda reservation: reservation.release())
        .then(NOTHING_RELEASED)
        .then_state(is_released=True)
    )
