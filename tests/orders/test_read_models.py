"""What the shop shows: each event's effect on the rows, and rows that come out the same however
they are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.delivery.rebuilding import Rebuild
from events.exceptions import AggregateNotFound, CommandRefused, Unavailable
from events.identifiers import new_id
from events.projections import Projection, projections
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName
from orders.events import (
    OrderProcessingFailed,
    PaymentFailed,
    PaymentProcessed,
    ShippingArranged,
    ShippingFailed,
)
from orders.models import (
    OrderFigures,
    OrderSummary,
    OrderSummaryLine,
    PaymentSummary,
    ShipmentSummary,
    StockLevel,
)
from tests.orders import shop
from tests.orders.shop import ANN, ORDER, OTHER, READ_MODELS, eur, line, project

MODELS = (OrderFigures, OrderSummary, OrderSummaryLine, PaymentSummary, ShipmentSummary, StockLevel)
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    with time_machine.travel(MOMENT, tick=False):
        yield


def order(order_id: UUID = ORDER) -> OrderSummary:
    project()
    return OrderSummary.objects.get(pk=order_id)


def parts(order_id: UUID = ORDER) -> tuple[str, str, str, str]:
    row = order(order_id)
    return row.state, row.reservation, row.payment, row.shipment


def payment() -> PaymentSummary:
    project()
    return PaymentSummary.objects.get(pk=ORDER)


def shipment() -> ShipmentSummary:
    project()
    return ShipmentSummary.objects.get(pk=ORDER)


def stock(product_id: str = "pen") -> tuple[int, int, int]:
    project()
    row = StockLevel.objects.get(pk=product_id)
    return row.on_hand, row.reserved, row.available


def rows(model: type[Model]) -> list[dict[str, Any]]:
    """All of them, but for numbers that the database hands out."""
    found = model._default_manager.order_by("pk").values()
    shown = [{name: row[name] for name in row if name != "id"} for row in found]
    return sorted(shown, key=str)


# --- orders ---


def test_an_order_is_shown_as_it_was_placed():
    shop.place(items=(line("pen", 2, "1.50"), line("ink", 1, "7.05"), line("pen", 1, "1.25")))
    row = order()
    assert (row.customer_id, row.placed_at) == (ANN, MOMENT)
    assert row.total == eur("11.30")
    assert (row.total_amount, row.currency) == (Decimal("11.30"), "EUR")
    assert list(row.lines.values_list("number", "product_id", "quantity", "unit_price")) == [
        (1, "pen", 2, Decimal("1.50")),
        (2, "ink", 1, Decimal("7.05")),
        (3, "pen", 1, Decimal("1.25")),
    ]
    assert [each.price for each in row.lines.all()] == [eur("1.50"), eur("7.05"), eur("1.25")]
    assert (row.completed_at, row.cancelled_at, row.reason) == (None, None, "")
    assert parts() == ("placed", "", "", "")


def test_an_order_is_followed_to_its_end():
    shop.receive(pen=5)
    shop.place()
    shop.reserve()
    assert parts() == ("reserved", "reserved", "", "")
    shop.pay()
    assert parts() == ("paid", "reserved", "paid", "")
    shop.ship()
    assert parts() == ("shipped", "reserved", "paid", "arranged")
    shop.complete()
    assert parts() == ("completed", "reserved", "paid", "arranged")
    assert order().completed_at == MOMENT


def test_an_order_is_followed_through_its_undoing():
    shop.receive(pen=5)
    shop.place()
    shop.reserve()
    shop.pay()
    shop.ship()
    shop.cancel_shipping()
    assert parts() == ("paid", "reserved", "paid", "cancelled")
    shop.refund()
    assert parts() == ("reserved", "reserved", "refunded", "cancelled")
    shop.release()
    assert parts() == ("placed", "released", "refunded", "cancelled")
    shop.cancel(reason="Too slow.")
    assert parts() == ("cancelled", "released", "refunded", "cancelled")
    assert (order().cancelled_at, order().reason) == (MOMENT, "Too slow.")


def test_what_fails_is_shown_and_an_undo_without_effect_leaves_it_so():
    shop.place(payment_method="declined")
    shop.reserve()
    shop.pay(payment_method="declined")
    shop.ship(city="declined")
    assert parts() == ("placed", "failed", "failed", "failed")
    shop.release()
    shop.refund()
    shop.cancel_shipping()
    assert parts() == ("placed", "failed", "failed", "failed")


def test_what_is_undone_before_it_is_asked_for_is_prevented():
    shop.place()
    shop.release()
    shop.refund()
    shop.cancel_shipping()
    assert parts() == ("placed", "prevented", "prevented", "prevented")
    shop.receive(pen=5)
    shop.reserve()
    shop.pay()
    shop.ship()
    assert parts() == ("placed", "failed", "failed", "failed")


def test_an_order_that_is_not_placed_is_not_among_the_placed_ones():
    shop.refund()
    assert parts() == ("", "", "prevented", "")
    assert not OrderSummary.objects.placed().exists()
    shop.place()
    assert parts() == ("placed", "", "prevented", "")
    assert OrderSummary.objects.placed().exists()


def test_an_order_says_what_its_process_failed_at():
    shop.place()
    shop.cancel(reason="It could not be processed.")
    failed = OrderProcessingFailed(order_id=ORDER, step="pay", reason="pay was rejected")
    event_store().append(StreamName("Order", ORDER), [failed])
    row = order()
    assert (row.state, row.reason) == ("cancelled", "It could not be processed.")
    assert (row.failed_step, row.failure) == ("pay", "pay was rejected")


def test_orders_do_not_touch_each_other():
    shop.receive(pen=5)
    for order_id in (ORDER, OTHER):
        shop.place(order_id)
        shop.reserve(order_id)
    shop.cancel(OTHER)
    assert (parts(ORDER)[0], parts(OTHER)[0]) == ("reserved", "cancelled")


# --- payments, shipments, stock ---


def test_a_payment_is_shown_until_it_is_refunded():
    shop.place()
    shop.pay()
    row = payment()
    assert (row.state, row.amount, row.currency) == ("paid", Decimal("3.00"), "EUR")
    assert (row.payment_method, row.charged_at, row.refunded_at) == ("card", MOMENT, None)
    assert row.reference.startswith("SIM-")
    shop.refund()
    row = payment()
    assert (row.state, row.amount, row.refunded_at) == ("refunded", Decimal("3.00"), MOMENT)


def test_a_payment_that_failed_says_why():
    shop.place(payment_method="declined")
    shop.pay(payment_method="declined")
    row = payment()
    assert (row.state, row.reason, row.amount) == ("failed", "card_declined", None)
    shop.refund()
    assert (payment().state, payment().refunded_at) == ("failed", None)


def test_a_shipment_is_shown_until_it_is_called_back():
    shop.place()
    shop.ship()
    row = shipment()
    assert (row.state, row.arranged_at, row.cancelled_at) == ("arranged", MOMENT, None)
    tracking_number = row.tracking_number
    assert tracking_number.startswith("SIM")
    shop.cancel_shipping()
    row = shipment()
    assert (row.state, row.tracking_number) == ("cancelled", tracking_number)
    assert row.cancelled_at == MOMENT


def test_a_shipment_that_failed_says_why():
    shop.place()
    shop.ship(city="declined")
    assert (shipment().state, shipment().reason) == ("failed", "destination_not_served")
    shop.cancel_shipping()
    assert (shipment().state, shipment().cancelled_at) == ("failed", None)


def test_what_succeeds_after_a_failure_has_no_reason_any_more():
    store = event_store()
    charged = PaymentProcessed(
        order_id=ORDER, amount=eur("3.00"), payment_method="card", reference="late"
    )
    store.append(
        StreamName("Payment", ORDER), [PaymentFailed(order_id=ORDER, reason="lost"), charged]
    )
    sent = ShippingArranged(order_id=ORDER, tracking_number="late")
    store.append(
        StreamName("Shipment", ORDER), [ShippingFailed(order_id=ORDER, reason="lost"), sent]
    )
    assert (payment().state, payment().reason) == ("paid", "")
    assert (shipment().state, shipment().reason) == ("arranged", "")


def test_stock_is_on_hand_reserved_and_available():
    shop.receive(pen=5)
    assert stock() == (5, 0, 5)
    shop.receive(pen=2)
    assert stock() == (7, 0, 7)
    shop.place()
    shop.reserve()
    assert stock() == (7, 2, 5)
    shop.release()
    assert stock() == (7, 0, 7)


# --- the same rows, however they are made ---


def a_busy_day() -> None:
    shop.receive(pen=20, ink=1)
    for number in range(12):
        order_id = new_id()
        shop.place(order_id, items=(line("pen", 2, "1.50"), line("ink", 1, "7.05")))
        shop.reserve(order_id, **({"ink": 1} if number < 2 else {"pen": 2}))
        shop.pay(order_id, payment_method="declined" if number % 3 == 0 else "card")
        if number % 2:
            shop.ship(order_id)
            shop.complete(order_id)
        else:
            shop.refund(order_id)
            shop.release(order_id)
            shop.cancel(order_id)


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_gives_the_same_rows():
    a_busy_day()
    project()
    before = {model: rows(model) for model in MODELS}
    assert all(before.values())
    for model in MODELS:
        model._default_manager.all().delete()
    for name in READ_MODELS:
        Rebuild(projections.get(name)).run()
    assert {model: rows(model) for model in MODELS} == before


def test_a_batch_costs_the_same_statements_whatever_its_size(django_assert_max_num_queries):
    a_busy_day()
    events = list(event_store().read_log())
    for name in READ_MODELS:
        declared = projections.get(name)
        wanted = [each for each in events if declared.subscription.matches(each)]
        # One read, one write; of orders also the figures of reports, and the lines.
        with django_assert_max_num_queries(6):
            declared.projection_class().project_batch(wanted)


forward = ("place", "reserve", "pay", "ship", "complete")
undoing = ("cancel_shipping", "refund", "release", "cancel")
commands = st.sampled_from([*forward, *undoing])
orders = st.integers(0, 2)
histories = st.lists(st.tuples(commands, orders), max_size=25)


def live_through(history: list[tuple[str, int]], methods: list[str], cities: list[str]) -> None:
    order_ids = [new_id() for _ in range(3)]
    for name, number in history:
        order_id = order_ids[number]
        given_too: dict[str, dict[str, Any]] = {
            "place": {"payment_method": methods[number]},
            "pay": {"payment_method": methods[number]},
            "ship": {"city": cities[number]},
        }
        with suppress(AggregateNotFound, CommandRefused, Unavailable):
            getattr(shop, name)(order_id, **given_too.get(name, {}))


def made(events: list[RecordedEvent], sizes: list[int]) -> dict[type[Model], list[dict[str, Any]]]:
    """The rows that the events come to, in batches of the sizes in turn."""
    for model in MODELS:
        model._default_manager.all().delete()
    for name in READ_MODELS:
        declared = projections.get(name)
        wanted = [each for each in events if declared.subscription.matches(each)]
        in_batches(declared.projection_class(), wanted, sizes)
    return {model: rows(model) for model in MODELS}


def in_batches(projection: Projection, events: list[RecordedEvent], sizes: list[int]) -> None:
    number = 0
    while events:
        size = sizes[number % len(sizes)]
        projection.project_batch(events[:size])
        events, number = events[size:], number + 1


def interleaved(events: list[RecordedEvent], random: Any) -> list[RecordedEvent]:
    """In another order, but for that of each stream."""
    streams: dict[str, list[RecordedEvent]] = {}
    for each in events:
        streams.setdefault(str(each.stream), []).append(each)
    waiting, mixed = list(streams.values()), []
    while waiting:
        chosen = random.choice(waiting)
        mixed.append(chosen.pop(0))
        waiting = [stream for stream in waiting if stream]
    return mixed


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    histories,
    st.lists(st.sampled_from(["card", "declined", "late_answer"]), min_size=3, max_size=3),
    st.lists(st.sampled_from(["Akureyri", "declined", "late_answer"]), min_size=3, max_size=3),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_batches_come_to_the_same_as_one_by_one_whatever_happened(
    db, history, methods, cities, sizes, random
):
    mark = event_store().high_water_mark()
    shop.receive(pen=3)
    live_through(history, methods, cities)
    events = list(event_store().read_log(from_position=mark + 1))

    one_by_one = made(events, [1])

    assert made(events, sizes) == one_by_one
    assert made(interleaved(events, random), sizes) == one_by_one
