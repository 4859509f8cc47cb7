"""A placed order ends completed, or with all that was done for it undone."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from events.delivery.draining import drain
from events.store.configured import event_store
from orders.handlers.orders import orders
from sagas.models import ProcessDeadline, SagaInstance, SagaTimer
from tests.orders.shop import (
    ORDER,
    address,
    event_names,
    history,
    line,
    money_recorded,
    money_taken,
    parcels_under_way,
    place,
    receive,
    stock,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_order_that_meets_no_obstacle_is_completed(style):
    receive(pen=5)
    place()

    drain()

    assert orders.load(ORDER).status == "completed"
    assert SagaInstance.objects.get().status == "completed"
    assert event_names("Order") == [
        "OrderPlaced",
        "OrderShipped",
        "OrderCompleted",
        "OrderProcessingCompleted",
    ]
    assert stock() == (3, 2)
    assert money_taken() == money_recorded() == Decimal("3.00")
    assert parcels_under_way() == 1


@pytest.mark.parametrize(
    ("placed", "step"),
    [
        ({"items": (line(quantity=9),)}, "reserve"),
        ({"payment_method": "declined"}, "pay"),
        ({"shipping_address": address(country="AQ")}, "ship"),
        ({"payment_method": "no_answer"}, "pay"),
        ({"shipping_address": address(city="no_answer")}, "ship"),
        (
            {
                "payment_method": "card+refund_late_answer",
                "shipping_address": address(country="AQ"),
            },
            "ship",
        ),
        (
            {"payment_method": "card+refund_error_3", "shipping_address": address(country="AQ")},
            "ship",
        ),
    ],
)
def test_an_order_that_fails_is_undone_and_cancelled(style, placed, step):
    receive(pen=5)
    place(**placed)

    style.run()

    assert orders.load(ORDER).status == "cancelled"
    assert SagaInstance.objects.get().status == "compensated"
    [failed] = [
        each.event for each in history("Order") if each.event_type == "OrderProcessingFailed"
    ]
    assert failed.step == step
    assert failed.reason
    assert stock() == (5, 0)
    assert money_taken() == money_recorded() == 0
    assert parcels_under_way() == 0


@pytest.mark.parametrize(
    "placed",
    [
        {"payment_method": "late_answer"},
        {"payment_method": "error_2"},
        {"shipping_address": address(city="late_answer")},
        {"shipping_address": address(city="error_2")},
    ],
)
def test_what_fails_for_a_while_is_tried_again(style, placed):
    receive(pen=5)
    place(**placed)

    style.run()

    assert orders.load(ORDER).status == "completed"
    assert money_taken() == money_recorded() == Decimal("3.00")
    assert parcels_under_way() == 1
    assert stock() == (3, 2)


def test_an_undo_that_is_refused_waits_for_an_operator(style):
    receive(pen=5)
    place(payment_method="card+refund_declined", shipping_address=address(country="AQ"))

    style.run()

    instance = SagaInstance.objects.get()
    assert instance.status == "needs_intervention"
    assert "pay" in instance.open_items
    assert instance.ended_at is None
    style.settle("pay")
    style.run()
    assert SagaInstance.objects.get().status == "compensated"
    assert orders.load(ORDER).status == "cancelled"
    assert stock() == (5, 0)


def test_an_operator_can_turn_an_order_back(style):
    receive(pen=5)
    place(payment_method="error_4")
    drain(raise_errors=False)
    assert SagaInstance.objects.get().status == "running"

    style.turn_back()
    style.run()

    assert SagaInstance.objects.get().status == "compensated"
    assert orders.load(ORDER).status == "cancelled"
    assert money_taken() == money_recorded() == 0
    assert stock() == (5, 0)


def test_many_orders_at_once_end_as_they_must(style):
    receive(pen=50)
    ids = [UUID(int=ORDER.int + number) for number in range(40)]
    for number, order_id in enumerate(ids):
        place(order_id, payment_method="declined" if number % 4 == 0 else "card")

    style.run()

    # 30 want to be paid for, of 2 pens each; there are pens for 25.
    statuses = [orders.load(order_id).status for order_id in ids]
    assert statuses.count("completed") + statuses.count("cancelled") == 40
    available, reserved = stock()
    assert available + reserved == 50
    assert reserved == 2 * statuses.count("completed")
    assert {row.status for row in SagaInstance.objects.all()} == {"completed", "compensated"}


def test_everything_of_an_order_is_one_conversation(style):
    receive(pen=5)
    placed = place()
    drain()

    log = list(event_store().read_log())
    assert {each.aggregate_type for each in log} >= {"Order", "Reservation", "Payment", "Shipment"}
    of_the_order = [each for each in log if each.aggregate_type != "Stock"]
    correlation = {each.metadata["correlation_id"] for each in of_the_order}
    assert correlation == {str(placed.correlation_id)}
    assert SagaInstance.objects.get().correlation_id == str(placed.correlation_id)


def test_outdated_timers_do_nothing(style):
    receive(pen=5)
    place()
    drain()
    before = len(history("Order"))

    style.run()

    assert not SagaTimer.objects.exists()
    assert not ProcessDeadline.objects.exists()
    assert len(history("Order")) == before
