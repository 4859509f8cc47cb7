"""Processes that want the same stock, the same money or the same parcel at the same moment."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

import pytest

from events.command_bus import command_bus
from events.exceptions import CommandRefused, ConcurrencyError, Unavailable
from events.repository import save_all
from events.store.configured import event_store
from events.streams import StreamName
from orders import handlers
from orders.addresses import Address
from orders.commands import CancelOrder
from orders.gateways.carriers import NotCarried, Parcel
from orders.gateways.pending import Pending
from orders.gateways.simulated_carriers import SimulatedCarrier
from orders.handlers.inventory import reservations
from orders.handlers.orders import orders
from tests.orders.shop import (
    ORDER,
    cancel,
    cancel_shipping,
    event_names,
    history,
    money_recorded,
    money_taken,
    parcels_under_way,
    pay,
    place,
    receive,
    refund,
    release,
    reserve,
    ship,
    stock,
)
from tests.processes import run_at_once, running

pytestmark = pytest.mark.django_db(transaction=True)


def until_it_ends(command: Any) -> Any:
    """As whoever delivers commands does: again, when others were faster."""
    while True:
        try:
            return command().value
        except (ConcurrencyError, Unavailable):
            continue
        except CommandRefused as refusal:
            return refusal.code


def reserve_for_all(order_ids: list[UUID], items: dict[str, int]) -> list[str]:
    return [until_it_ends(partial(reserve, each, **items))["reply"] for each in order_ids]


def lowest_stock(product_id: str) -> int:
    """That there ever was, by the events."""
    available, lowest = 0, 0
    for recorded in event_store().read_stream(StreamName("Stock", product_id)):
        sign = -1 if recorded.event_type == "StockReserved" else 1
        available += sign * recorded.data["quantity"]
        lowest = min(lowest, available)
    return lowest


def test_many_orders_of_the_last_pieces_never_get_more_than_there_are():
    receive(pen=15, ink=50)
    wants = [{"pen": 2, "ink": 1}, {"ink": 1, "pen": 2}, {"pen": 2}, {"ink": 1, "pen": 2}]
    order_ids = [[UUID(int=10 * writer + number + 1) for number in range(4)] for writer in range(4)]
    for order_id in chain(*order_ids):
        place(order_id)
    replies = run_at_once(
        [partial(reserve_for_all, *each) for each in zip(order_ids, wants, strict=True)]
    )
    assert Counter(chain(*replies)) == {"InventoryReserved": 7, "InventoryReservationFailed": 9}
    assert stock("pen") == (1, 14)
    assert lowest_stock("pen") == lowest_stock("ink") == 0

    held: Counter[str] = Counter()
    for ids, wanted in zip(order_ids, wants, strict=True):
        for order_id in ids:
            items = reservations.load(order_id).items
            assert items in ({}, wanted)
            held.update(items)
    assert (held["pen"], held["ink"]) == (stock("pen")[1], stock("ink")[1])


def test_one_order_that_is_reserved_by_many_gets_it_once():
    place()
    receive(pen=100)
    replies = run_at_once([partial(until_it_ends, reserve)] * 5)
    assert replies == [{"reply": "InventoryReserved"}] * 5
    assert stock() == (98, 2)
    assert event_names("Reservation") == ["InventoryReserved"]


def test_a_reservation_that_meets_its_release_leaves_nothing():
    place()
    receive(pen=5)
    run_at_once([partial(until_it_ends, command) for command in (reserve, release) * 2])
    assert stock() == (5, 0)
    assert event_names("Reservation") in (
        ["InventoryReserved", "InventoryReleased"],
        ["InventoryReleased", "InventoryReservationFailed"],
    )


def test_a_charge_that_meets_its_refund_leaves_no_money():
    place()
    run_at_once([partial(until_it_ends, command) for command in (pay, refund) * 2])
    assert money_taken() == money_recorded() == Decimal(0)
    assert event_names("Payment") in (
        ["PaymentProcessed", "PaymentRefunded"],
        # The gateway refunded first; its answers may be recorded in another order than given.
        ["PaymentRefunded", "PaymentFailed"],
        ["PaymentFailed", "PaymentRefunded"],
    )


def test_one_order_that_is_charged_by_many_pays_once():
    place()
    run_at_once([partial(until_it_ends, pay)] * 5)
    assert money_taken() == money_recorded() == Decimal("3.00")
    assert event_names("Payment") == ["PaymentProcessed"]


def test_a_parcel_that_meets_the_cancellation_of_its_order():
    """The order is on its way, or it is cancelled and there is no parcel."""
    for number in range(5):
        order_id = UUID(int=number + 1)
        place(order_id)
        calls = [partial(command, order_id) for command in (ship, cancel)]
        run_at_once([partial(until_it_ends, call) for call in calls])
        under_way = parcels_under_way(order_id)
        assert under_way == (0 if orders.load(order_id).is_cancelled else 1)
        assert (orders.load(order_id).tracking_number is not None) == bool(under_way)


class CancellingCarrier(SimulatedCarrier):
    """While it is asked, the customer cancels."""

    def arrange(self, effect_key: str, address: Address) -> Parcel | NotCarried | Pending:
        answer = super().arrange(effect_key, address)
        command_bus.dispatch(CancelOrder(order_id=ORDER, reason="Too slow."))
        return answer


def test_an_order_that_is_cancelled_while_the_carrier_is_asked(settings):
    settings.ORDERS = {"carrier": f"{__name__}.CancellingCarrier"}
    place()
    with pytest.raises(Unavailable, match="was cancelled while its parcel was arranged"):
        ship()
    assert (parcels_under_way(), history("Shipment")) == (1, [])
    assert ship().value == {"reply": "ShippingArranged"}
    assert event_names("Shipment") == ["ShippingArranged", "ShippingCancelled"]
    assert event_names("Order") == ["OrderPlaced", "OrderCancelled"]
    assert parcels_under_way() == 0


def test_an_order_that_is_cancelled_while_the_carrier_is_asked_can_be_undone(settings):
    settings.ORDERS = {"carrier": f"{__name__}.CancellingCarrier"}
    place()
    with pytest.raises(Unavailable):
        ship()
    cancel_shipping()
    assert event_names("Shipment") == ["ShippingArranged", "ShippingCancelled"]
    assert parcels_under_way() == 0


@pytest.mark.postgresql
def test_an_order_that_is_cancelled_after_it_was_read_and_before_its_parcel_is_saved(monkeypatch):
    """SQLite lets nobody in between."""
    place()

    def overtaken(aggregates: Any) -> None:
        monkeypatch.undo()
        with running(until_it_ends, cancel) as other:
            assert other.result() is None
        save_all(aggregates)

    monkeypatch.setattr(handlers.shipments, "save_all", overtaken)
    with pytest.raises(Unavailable, match="was cancelled while"):
        ship()
    assert event_names("Order") == ["OrderPlaced", "OrderCancelled"]
    assert (parcels_under_way(), history("Shipment")) == (1, [])
    ship()
    assert parcels_under_way() == 0
