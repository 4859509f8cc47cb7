"""Orders as a caller of the command bus meets them."""

from __future__ import annotations

import pytest

from events.exceptions import AggregateNotFound, EncodingError, InvalidInput
from orders.exceptions import (
    OrderAlreadyPlaced,
    OrderIsCancelled,
    OrderIsCompleted,
    OrderIsShipped,
)
from orders.lines import quantities
from tests.orders.shop import (
    ORDER,
    OTHER,
    address,
    cancel,
    cancel_shipping,
    complete,
    event_names,
    history,
    line,
    place,
    reserve,
    ship,
)

pytestmark = pytest.mark.django_db


def test_an_order_is_placed():
    result = place(items=(line("pen", 2, "1.50"), line("ink", 1, "4.25")))
    assert result.value == {"order_id": str(ORDER), "total_amount": "7.25 EUR"}
    [recorded] = history("Order")
    assert recorded.event_type == "OrderPlaced"
    assert recorded.data["items"][1] == {
        "product_id": "ink",
        "quantity": 1,
        "unit_price": {"amount": "4.25", "currency": "EUR"},
    }
    assert recorded.data["total_amount"] == {"amount": "7.25", "currency": "EUR"}
    assert recorded.event.shipping_address == address()


def test_an_id_is_for_one_order():
    place()
    with pytest.raises(OrderAlreadyPlaced) as caught:
        place(payment_method="other card")
    assert caught.value.details == {"order_id": str(ORDER)}
    assert event_names("Order") == ["OrderPlaced"]


def test_an_order_is_cancelled_once():
    place()
    cancel()
    cancel(reason="Once more.")
    assert event_names("Order") == ["OrderPlaced", "OrderCancelled"]
    with pytest.raises(OrderIsCancelled):
        complete()


def test_an_order_is_completed_once():
    place()
    complete()
    complete()
    assert event_names("Order") == ["OrderPlaced", "OrderCompleted"]
    with pytest.raises(OrderIsCompleted):
        cancel()


@pytest.mark.parametrize("command", [cancel, complete])
def test_an_order_that_was_never_placed_is_not_found(command):
    with pytest.raises(AggregateNotFound):
        command(OTHER)


def test_an_order_whose_parcel_is_under_way_cannot_be_cancelled():
    place()
    ship()
    with pytest.raises(OrderIsShipped) as caught:
        cancel()
    assert caught.value.code == "order_is_shipped"
    assert caught.value.details["tracking_number"] in str(caught.value)
    cancel_shipping()
    cancel()
    assert event_names("Order") == [
        "OrderPlaced",
        "OrderShipped",
        "OrderRecalled",
        "OrderCancelled",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": ()}, "PlaceOrder.items"),
        ({"items": (line(),) * 101}, "PlaceOrder.items"),
        ({"items": (line(quantity=0),)}, "PlaceOrder.items[0].quantity"),
        ({"items": (line(quantity=10_001),)}, "PlaceOrder.items[0].quantity"),
        ({"items": (line(""),)}, "PlaceOrder.items[0].product_id"),
        ({"payment_method": ""}, "PlaceOrder.payment_method"),
        ({"shipping_address": address(country="Iceland")}, "PlaceOrder.shipping_address.country"),
        ({"items": (line(price="0.00"),)}, "items[0].unit_price.amount"),
    ],
)
def test_what_cannot_be_ordered_is_refused_by_field(changes, field):
    with pytest.raises(InvalidInput) as caught:
        place(**changes)
    assert caught.value.field == field
    assert event_names("Order") == []


def test_whatever_can_be_ordered_can_be_reserved():
    lines = tuple(line("pen", 10_000, "0.01") for _ in range(100))
    place(items=lines)
    assert reserve(**quantities(lines)).value == {"reply": "InventoryReservationFailed"}
    assert history("Reservation")[0].data["missing"] == {"pen": 1_000_000}


def test_a_reason_is_needed_to_cancel():
    place()
    with pytest.raises(EncodingError, match=r"CancelOrder\.reason"):
        cancel(reason="")
