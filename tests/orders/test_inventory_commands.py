"""Stock is reserved for an order: all products or none, once, and not after it was released."""

from __future__ import annotations

from uuid import UUID

import pytest

from events.exceptions import AggregateNotFound, EncodingError
from events.store.configured import event_store
from tests.orders.shop import (
    ORDER,
    OTHER,
    cancel,
    event_names,
    history,
    place,
    receive,
    release,
    reserve,
    stock,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _orders_and_stock() -> None:
    place(ORDER)
    place(OTHER)
    receive(pen=5, ink=1)


def replies(order_id=ORDER) -> list[str]:
    return event_names("Reservation", order_id)


def test_all_products_are_reserved_in_one_append():
    result = reserve(pen=3, ink=1)
    assert result.value == {"reply": "InventoryReserved"}
    assert (stock("pen"), stock("ink")) == ((2, 3), (0, 1))
    [reply] = history("Reservation")
    assert reply.data == {"order_id": str(ORDER), "items": {"ink": 1, "pen": 3}}
    streams = [str(append.stream) for append in result.appended]
    assert streams == ["Stock-pen", "Stock-ink", f"Reservation-{ORDER}"]
    last = max(recorded.position for recorded in event_store().read_log())
    assert reply.position == last  # who has seen the reply has seen the stock


def test_if_one_product_is_missing_none_is_reserved_and_that_is_a_fact():
    result = reserve(pen=6, ink=1)
    assert result.value == {"reply": "InventoryReservationFailed"}
    assert (stock("pen"), stock("ink")) == ((5, 0), (1, 0))
    [reply] = history("Reservation")
    assert reply.data == {
        "order_id": str(ORDER),
        "reason": "out_of_stock",
        "missing": {"pen": 1},
    }


def test_an_unknown_product_is_missing():
    assert reserve(rubber=2).value == {"reply": "InventoryReservationFailed"}
    assert history("Reservation")[0].data["missing"] == {"rubber": 2}
    assert event_names("Stock", "rubber") == []


def test_reserving_twice_has_one_effect():
    reserve(pen=3)
    assert reserve(pen=3).value == {"reply": "InventoryReserved"}
    assert (stock(), replies()) == ((2, 3), ["InventoryReserved"])


def test_what_has_failed_stays_failed_although_there_is_stock_now():
    """The order may have been given up since; nobody would release what it gets."""
    reserve(pen=6)
    receive(pen=10)
    assert reserve(pen=6).value == {"reply": "InventoryReservationFailed"}
    assert (stock(), replies()) == ((15, 0), ["InventoryReservationFailed"])


def test_releasing_twice_has_one_effect():
    reserve(pen=3, ink=1)
    release()
    release()
    assert (stock("pen"), stock("ink")) == ((5, 0), (1, 0))
    assert replies() == ["InventoryReserved", "InventoryReleased"]
    assert event_names("Stock", "pen") == ["StockReceived", "StockReserved", "StockReleased"]


def test_what_was_released_is_there_for_others():
    reserve(pen=5)
    assert reserve(OTHER, pen=5).value == {"reply": "InventoryReservationFailed"}
    release()
    receive(pen=1)
    assert stock() == (6, 0)


def test_a_reservation_that_comes_after_its_release_fails():
    release()
    assert history("Reservation")[0].data == {"order_id": str(ORDER), "items": {}}
    for _ in range(2):
        assert reserve(pen=3).value == {"reply": "InventoryReservationFailed"}
    assert replies() == ["InventoryReleased", "InventoryReservationFailed"]
    assert history("Reservation")[1].data["reason"] == "released"
    assert stock() == (5, 0)


def test_a_reservation_after_it_was_made_and_released_has_no_effect():
    reserve(pen=3)
    release()
    reserve(pen=3)
    assert (stock(), replies()) == ((5, 0), ["InventoryReserved", "InventoryReleased"])


def test_nothing_is_reserved_for_a_cancelled_order():
    cancel()
    assert reserve().value == {"reply": "InventoryReservationFailed"}
    assert history("Reservation")[0].data["reason"] == "order_cancelled"
    assert stock() == (5, 0)


def test_nothing_is_reserved_for_an_order_that_was_never_placed():
    with pytest.raises(AggregateNotFound):
        reserve(UUID(int=1))
    assert stock() == (5, 0)


@pytest.mark.parametrize(
    ("items", "field"), [({"pen": 0}, "items.pen"), ({"pen": -1}, "items.pen")]
)
def test_a_quantity_that_cannot_be_is_refused_by_field(items, field):
    with pytest.raises(EncodingError) as caught:
        reserve(**items)
    assert caught.value.field == f"ReserveInventory.{field}"


def test_stock_is_received():
    receive(pen=2)
    assert stock() == (7, 0)
    with pytest.raises(EncodingError, match=r"ReceiveStock\.quantity"):
        receive(pen=0)
