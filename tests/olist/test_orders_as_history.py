"""`manage.py import_olist --as history`: what happened, when it happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management.base import CommandError

from events.registry import event_types
from events.repository import Repository
from events.streams import StreamName
from orders.aggregates.order import Order, OrderStatus
from orders.aggregates.payment import Payment
from orders.aggregates.reservation import Reservation
from orders.aggregates.shipment import Shipment
from orders.money import Money
from tests.olist.sample import (
    CANCELED,
    CREATED,
    DELIVERED,
    EVENTS,
    ODD,
    ORDERS,
    ROWS,
    SUMMER_TIME,
    UNAVAILABLE,
    customer,
    item,
    order,
    write_sample,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(store, run, folder):
    run("import_olist", write_sample(folder), "--as", "history")
    return store


def of(store, number):
    """The events of an order, in the order of the log."""
    return list(store.read_correlated(str(UUID(int=number))))


def told(store, number):
    return [
        (event.aggregate_type, event.event_type, event.occurred_on.isoformat(" ", "seconds")[:19])
        for event in of(store, number)
    ]


def test_each_time_of_an_order_is_an_event_at_that_time(history):
    assert told(history, DELIVERED) == [
        ("Order", "OrderPlaced", "2017-10-02 13:56:33"),
        ("Payment", "PaymentProcessed", "2017-10-02 14:07:15"),
        ("Shipment", "ShippingArranged", "2017-10-04 22:55:00"),
        ("Order", "OrderDelivered", "2017-10-11 00:25:13"),
    ]
    assert {number: len(of(history, number)) for number in EVENTS} == EVENTS


def test_a_cancellation_has_the_last_time_that_is_known_and_says_so(history):
    *_, last = of(history, CANCELED)

    assert last.event_type == "OrderCancelled"
    assert last.occurred_on == datetime(2018, 1, 1, 12, 5, tzinfo=UTC)
    assert last.metadata["time_is_inferred"] is True
    assert "time_is_inferred" not in of(history, CANCELED)[0].metadata


def test_an_order_without_stock_has_a_failed_reservation(history):
    assert told(history, UNAVAILABLE) == [
        ("Order", "OrderPlaced", "2018-01-02 12:00:00"),
        ("Payment", "PaymentProcessed", "2018-01-02 12:00:00"),
        ("Reservation", "InventoryReservationFailed", "2018-01-02 12:00:00"),
    ]


def test_times_out_of_order_stay_what_they_are(history):
    assert [(event, time[:10]) for _, event, time in told(history, ODD)] == [
        ("OrderPlaced", "2018-03-05"),
        ("OrderDelivered", "2018-03-06"),
        ("ShippingArranged", "2018-03-07"),
        ("PaymentProcessed", "2018-03-09"),
        ("OrderCancelled", "2018-03-09"),
    ]


def test_of_an_hour_that_came_twice_the_first_is_taken(history):
    assert [time for *_, time in told(history, SUMMER_TIME)] == [
        "2018-02-18 01:30:00",
        "2018-02-18 01:30:00",
        "2018-02-18 03:10:00",
    ]


def test_the_data_are_as_the_classes_encode_them(history):
    for number in EVENTS:
        for recorded in of(history, number):
            assert event_types.encode(recorded.event) == recorded.data


def test_money_is_exact(history):
    placed, paid, *_ = (event.event for event in of(history, DELIVERED))

    assert placed.total_amount == Money(Decimal("1013.89"), "BRL")
    assert [(line.quantity, line.unit_price.amount) for line in placed.items] == [
        (2, Decimal("0.10")),
        (1, Decimal("1000.00")),
    ]
    assert paid.amount == Money(Decimal("1013.89"), "BRL")
    assert paid.payment_method == placed.payment_method == "credit_card+voucher"


def test_an_order_without_lines_or_payments_is_told_too(history):
    (placed,) = (event.event for event in of(history, CREATED))

    assert (placed.items, placed.total_amount) == ((), Money.zero("BRL"))
    assert placed.shipping_address.postal_code == "01151"
    assert placed.shipping_address.city == "são paulo, SP"


def test_orders_of_one_person_have_one_user(history):
    first, second = (of(history, number)[0].event for number in (DELIVERED, UNAVAILABLE))
    assert first.user_id == second.user_id == UUID(int=2001)


def test_the_aggregates_of_the_shop_load_what_was_told(history):
    orders = {number: Repository(Order).load(str(UUID(int=number))) for number in EVENTS}

    assert orders[ODD].status is OrderStatus.CANCELLED
    assert orders[DELIVERED].status is OrderStatus.PLACED
    for number in (DELIVERED, ODD):
        assert Repository(Payment).load(str(UUID(int=number))).version == 0
        assert Repository(Shipment).load(str(UUID(int=number))).tracking_number
    assert Repository(Reservation).load(str(UUID(int=UNAVAILABLE))).reply


def test_a_second_run_stores_nothing_and_says_so(history, run, folder):
    before = list(history.read_log())

    for path in folder.iterdir():
        path.unlink()
    out = run("import_olist", write_sample(folder, is_packed=True), "--as", "history")

    assert out.startswith("0 events stored")
    assert f"{sum(EVENTS.values())} were stored before" in out
    assert list(history.read_log()) == before


def test_the_order_of_the_rows_does_not_matter_for_what_is_known(history, run, folder):
    rows = {"olist_orders_dataset": ROWS[ORDERS][::-1]}
    out = run("import_olist", write_sample(folder, **rows), "--as", "history")

    assert out.startswith("0 events stored")


def test_a_row_that_can_not_be_read_is_listed_and_none_of_its_events_is_stored(store, run, folder):
    rows = [
        order(1, approved="2017-10-02 11:07:15", carrier="soon"),
        order(2, approved="2017-10-02 11:07:15"),
        order(9),
    ]
    directory = write_sample(folder, olist_orders_dataset=rows)

    with pytest.raises(CommandError, match="2 rows were refused"):
        run("import_olist", directory, "--as", "history")

    listed = map(json.loads, Path(f"{ORDERS}.refused.jsonl").read_text().splitlines())
    assert [(each["line"], each["reason"].split(":")[0]) for each in listed] == [
        (2, "order_delivered_carrier_date"),
        (4, "customer_id"),
    ]
    assert [str(event.stream) for event in store.read_log()] == [
        str(StreamName("Order", UUID(int=2))),
        str(StreamName("Payment", UUID(int=2))),
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"olist_order_items_dataset": [item(1, 1, 501, "a lot", "1.00")]}, "line 2: price"),
        ({"olist_customers_dataset": [customer(1), "too,few"]}, "line 3: .*2 values"),
    ],
    ids=["amount", "columns"],
)
def test_a_damaged_table_is_refused_as_a_whole(store, run, folder, changed, message):
    with pytest.raises(CommandError, match=message):
        run("import_olist", write_sample(folder, **changed), "--as", "history")

    assert list(store.read_log()) == []


def test_a_missing_file_is_named(run, folder):
    with pytest.raises(CommandError, match="olist_orders_dataset"):
        run("import_olist", folder, "--as", "history")
