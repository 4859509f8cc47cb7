"""Commands for one order in any order, each any number of times: what holds in between, always."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.exceptions import CommandRefused, Unavailable
from events.identifiers import new_id
from orders.handlers.inventory import reservations
from orders.handlers.orders import orders
from orders.handlers.shipments import shipments
from tests.orders.shop import (
    cancel,
    cancel_shipping,
    complete,
    line,
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

TOTAL = Decimal("3.00")
FORWARD = ("reserve", "pay", "ship")
UNDOS = ("cancel_shipping", "refund", "release", "cancel")

payment_methods = st.sampled_from(
    ["card", "declined", "late_answer", "error_1", "card+refund_error_1", "card+refund_late_answer"]
)
cities = st.sampled_from(
    ["Akureyri", "declined", "late_answer", "error_1", "Akureyri+cancel_late_answer"]
)
names = st.sampled_from([*FORWARD, *UNDOS, "complete"])


class Products:
    """Of one order alone: the database keeps what earlier examples have done."""

    def __init__(self, order_id: UUID, pens: int) -> None:
        self.start = {f"pen {order_id}": pens, f"ink {order_id}": 1}
        self.wanted = dict(zip(self.start, (2, 1), strict=True))
        receive(**{product_id: number for product_id, number in self.start.items() if number})

    def now(self) -> dict[str, tuple[int, int]]:
        return {product_id: stock(product_id) for product_id in self.start}

    def with_held(self, held: Mapping[str, int]) -> dict[str, tuple[int, int]]:
        return {
            product_id: (number - held.get(product_id, 0), held.get(product_id, 0))
            for product_id, number in self.start.items()
        }


def commands(
    order_id: UUID, products: Products, payment_method: str, city: str
) -> dict[str, Callable[[], object]]:
    return {
        "reserve": partial(reserve, order_id, **products.wanted),
        "pay": partial(pay, order_id, payment_method=payment_method),
        "ship": partial(ship, order_id, city=city),
        "complete": partial(complete, order_id),
        "cancel": partial(cancel, order_id),
        "release": partial(release, order_id),
        "refund": partial(refund, order_id),
        "cancel_shipping": partial(cancel_shipping, order_id),
    }


def send(command: Callable[[], object]) -> None:
    with suppress(CommandRefused, Unavailable):
        command()


def check(order_id: UUID, products: Products) -> None:
    reservation = reservations.find(order_id)
    assert products.now() == products.with_held(reservation.items if reservation else {})
    assert all(available >= 0 for available, _ in products.now().values())
    assert money_taken(order_id) in (0, TOTAL)
    assert money_recorded(order_id) in (0, TOTAL)
    order, shipment = orders.load(order_id), shipments.find(order_id)
    assert order.tracking_number == (shipment.tracking_number if shipment else None)
    assert not (order.is_cancelled and order.tracking_number)


def check_undone(order_id: UUID, products: Products) -> None:
    assert products.now() == products.with_held({})
    assert money_taken(order_id) == money_recorded(order_id) == 0
    assert parcels_under_way(order_id) == 0


@pytest.mark.django_db
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(names, max_size=10), payment_methods, cities, st.sampled_from([0, 1, 2, 5]))
def test_whatever_is_sent_for_an_order_in_whatever_order(db, sent, payment_method, city, pens):
    order_id = new_id()
    place(order_id, items=(line("pen", 2, "1.50"),), payment_method=payment_method)
    products = Products(order_id, pens)
    available = commands(order_id, products, payment_method, city)

    for name in sent:
        send(available[name])
        check(order_id, products)

    # Undone in the end, each more often than its foreign system fails: nothing is left.
    for name in UNDOS * 3:
        send(available[name])
        check(order_id, products)
    check_undone(order_id, products)
    assert orders.load(order_id).is_cancelled or "complete" in sent

    # And nothing that comes late brings any of it back.
    for name in FORWARD * 2:
        send(available[name])
    check_undone(order_id, products)
