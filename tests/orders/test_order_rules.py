from __future__ import annotations

from decimal import Decimal

import pytest
import time_machine

from events.exceptions import InvalidInput
from events.testing import given
from orders.aggregates.order import Order, OrderStatus
from orders.events import (
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderProcessingCompleted,
    OrderRecalled,
    OrderShipped,
)
from orders.exceptions import OrderIsCancelled, OrderIsCompleted, OrderIsShipped
from orders.lines import OrderLine, quantities
from orders.money import Money
from tests.factories import MOMENT
from tests.orders.shop import ANN, ORDER, address, eur, line

PLACED = OrderPlaced(
    user_id=ANN,
    items=(line("pen", 2, "1.50"), line("ink", 1, "4.25")),
    total_amount=eur("7.25"),
    shipping_address=address(),
    payment_method="card",
)
CANCELLED = OrderCancelled(reason="Changed my mind.")
SHIPPED = OrderShipped(tracking_number="SIM1")
RECALLED = OrderRecalled(tracking_number="SIM1")
COMPLETED = OrderCompleted(completion_date=MOMENT)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(MOMENT, tick=False):
        yield


def place(*items: OrderLine) -> Order:
    return Order.place(ORDER, ANN, items, address(), "card")


def test_an_order_is_placed_with_its_total():
    (
        given(Order, str(ORDER))
        .when(lambda _: place(line("pen", 2, "1.50"), line("ink", 1, "4.25")))
        .then(PLACED)
        .then_state(status=OrderStatus.PLACED, total_amount=eur("7.25"), user_id=ANN)
    )


def test_two_lines_may_be_of_one_product():
    order = place(line("pen", 1, "1.50"), line("pen", 2, "1.00"))
    assert order.total_amount == eur("3.50")


def test_what_several_lines_want_of_a_product_is_wanted_together():
    lines = [line("pen", 1), line("ink", 5), line("pen", 2)]
    assert quantities(lines) == {"pen": 3, "ink": 5}


def test_freight_is_part_of_the_total():
    order = Order.place(ORDER, ANN, [line("pen", 2, "1.50")], address(), "card", eur("0.45"))
    assert order.total_amount == eur("3.45")


@pytest.mark.parametrize(
    ("freight", "field"),
    [(eur("-0.01"), "freight.amount"), (Money(Decimal(1), "USD"), "items")],
)
def test_freight_that_cannot_be_is_refused(freight, field):
    with pytest.raises(InvalidInput) as caught:
        Order.place(ORDER, ANN, [line()], address(), "card", freight)
    assert caught.value.field == field


def test_an_order_of_nothing_is_refused():
    with pytest.raises(InvalidInput, match="items"):
        place()


@pytest.mark.parametrize(
    ("items", "field", "message"),
    [
        ([line(), line("a\nb")], "items[1].product_id", "can't be printed"),
        ([line(price="0")], "items[0].unit_price.amount", "must be more than nothing"),
        ([line(price="-1")], "items[0].unit_price.amount", "must be more than nothing"),
        (
            [
                line(),
                OrderLine(product_id="x", quantity=1, unit_price=Money(Decimal(1), "USD")),
            ],
            "items[1].unit_price.currency",
            "is USD, but EUR before",
        ),
        ([line(quantity=10**6, price="999999999")], "items", "cost too much together"),
        ([line(quantity=1, price="999999999999")] * 2, "items", "cost too much together"),
    ],
)
def test_lines_that_cannot_be_sold_are_refused_by_place(items, field, message):
    with pytest.raises(InvalidInput) as caught:
        place(*items)
    assert caught.value.field == field
    assert message in str(caught.value)


def test_an_order_is_cancelled_with_its_reason():
    (
        given(Order, str(ORDER), PLACED)
        .when(lambda order: order.cancel("Changed my mind."))
        .then(CANCELLED)
        .then_state(status=OrderStatus.CANCELLED, is_cancelled=True)
    )


def test_the_first_reason_for_a_cancellation_stands():
    given(Order, str(ORDER), PLACED, CANCELLED).when(lambda o: o.cancel("Other.")).then_nothing()


def test_an_order_is_completed_once():
    given(Order, str(ORDER), PLACED).when(lambda order: order.complete()).then(COMPLETED)
    given(Order, str(ORDER), PLACED, COMPLETED).when(lambda o: o.complete()).then_nothing()


def test_a_completed_order_cannot_be_cancelled():
    (
        given(Order, str(ORDER), PLACED, COMPLETED)
        .when(lambda order: order.cancel("Too late."))
        .then_refused(OrderIsCompleted, code="order_is_completed")
        .then_state(status=OrderStatus.COMPLETED)
    )


def test_a_cancelled_order_cannot_be_completed():
    (
        given(Order, str(ORDER), PLACED, CANCELLED)
        .when(lambda order: order.complete())
        .then_refused(OrderIsCancelled, code="order_is_cancelled")
    )


def test_an_order_is_shipped_once():
    (
        given(Order, str(ORDER), PLACED)
        .when(lambda order: order.ship("SIM1"))
        .then(SHIPPED)
        .then_state(tracking_number="SIM1")
    )
    given(Order, str(ORDER), PLACED, SHIPPED).when(lambda o: o.ship("SIM1")).then_nothing()


def test_an_order_is_recalled_once():
    (
        given(Order, str(ORDER), PLACED, SHIPPED)
        .when(lambda order: order.recall())
        .then(RECALLED)
        .then_state(tracking_number=None)
    )
    given(Order, str(ORDER), PLACED, SHIPPED, RECALLED).when(lambda o: o.recall()).then_nothing()


def test_a_shipped_order_cannot_be_cancelled_before_it_is_recalled():
    (
        given(Order, str(ORDER), PLACED, SHIPPED)
        .when(lambda order: order.cancel("Changed my mind."))
        .then_refused(OrderIsShipped, code="order_is_shipped")
    )
    (
        given(Order, str(ORDER), PLACED, SHIPPED, RECALLED)
        .when(lambda order: order.cancel("Changed my mind."))
        .then(CANCELLED)
    )


def test_a_cancelled_order_cannot_be_shipped():
    (
        given(Order, str(ORDER), PLACED, CANCELLED)
        .when(lambda order: order.ship("SIM1"))
        .then_refused(OrderIsCancelled, code="order_is_cancelled")
    )


def test_what_a_process_notes_about_an_order_does_not_change_it():
    noted = OrderProcessingCompleted(order_id=ORDER, completed_at=MOMENT)
    given(Order, str(ORDER), PLACED, noted).when(lambda _: None).then_state(
        status=OrderStatus.PLACED
    )


@pytest.mark.parametrize("number", ["4111111111111111", "4111 1111 1111 1111", "3782-822463-10005"])
def test_a_card_number_is_never_stored(number):
    with pytest.raises(InvalidInput) as caught:
        Order.place(ORDER, ANN, [line()], address(), number)
    assert caught.value.field == "payment_method"
    assert number not in str(caught.value)


@pytest.mark.parametrize("name", ["card", "pm_1N3T00LkdIwHu7ix", "pm_4111111111111111", "12345"])
def test_a_gateways_own_name_for_a_card_is_fine(name):
    assert Order.place(ORDER, ANN, [line()], address(), name).payment_method == name
