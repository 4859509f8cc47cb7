"""Whatever an order meets, it ends the same in both styles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.delivery.draining import drain
from events.delivery.worker import Worker
from orders.handlers.orders import orders
from sagas.clock import database_time
from sagas.deadlines import fire_deadlines
from sagas.models import SagaInstance
from sagas.timers import fire_timers
from tests.orders.shop import (
    address,
    cancel,
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
from tests.orders.styles import STYLES, installed
from tests.processes import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)

AVAILABLE = 7

#: Of the gateway and the carrier: what they do, and what they do when it is undone.
DOING = ["", "declined", "no_answer", "late_answer", "error_1", "error_3"]
UNDOING = ["", "late_answer", "error_2", "declined"]


@dataclass(frozen=True)
class Fate:
    quantity: int
    payment: str
    refund: str
    parcel: str
    recall: str

    def place(self, order_id: UUID) -> None:
        place(
            order_id,
            items=(line(quantity=self.quantity),),
            payment_method=_behaviour("card", self.payment, "refund", self.refund),
            shipping_address=address(
                city=_behaviour("Akureyri", self.parcel, "cancel", self.recall)
            ),
        )


def _behaviour(name: str, doing: str, undo: str, undoing: str) -> str:
    words = [name, doing, f"{undo}_{undoing}" if undoing else ""]
    return "+".join(word for word in words if word)


@dataclass(frozen=True)
class End:
    order: str
    saga: str
    open_items: tuple[str, ...]
    outcome: tuple[str, ...]
    failed_at: tuple[str, ...]
    taken: Decimal
    recorded: Decimal
    parcels: int


fates = st.builds(
    Fate,
    quantity=st.sampled_from([1, 2, 3, 9]),
    payment=st.sampled_from(DOING),
    refund=st.sampled_from(UNDOING),
    parcel=st.sampled_from(DOING),
    recall=st.sampled_from(UNDOING),
)


def ids(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(1, count + 1)]


def end_of(order_id: UUID) -> End:
    instance = SagaInstance.objects.get(key=str(order_id))
    assert (instance.ended_at is None) == (instance.status == "needs_intervention")
    outcomes = [name for name in event_names("Order", order_id) if "Processing" in name]
    failed = [each.event for each in history("Order", order_id)]
    return End(
        order=str(orders.load(order_id).status),
        saga=instance.status,
        open_items=tuple(sorted(instance.open_items)),
        outcome=tuple(outcomes),
        failed_at=tuple(each.step for each in failed if hasattr(each, "step")),
        taken=money_taken(order_id),
        recorded=money_recorded(order_id),
        parcels=parcels_under_way(order_id),
    )


def forget_all() -> None:
    call_command("flush", interactive=False, verbosity=0)


def ends_in(style: str, given_fates: list[Fate]) -> tuple[list[End], tuple[int, int]]:
    forget_all()
    with installed(style) as chosen:
        receive(pen=AVAILABLE)
        for order_id, fate in zip(ids(len(given_fates)), given_fates, strict=True):
            fate.place(order_id)
            chosen.run()
        return [end_of(order_id) for order_id in ids(len(given_fates))], stock()


def price_of(fate: Fate) -> Decimal:
    return Decimal("1.50") * fate.quantity


def check_books(ends: list[End], given_fates: list[Fate], left: tuple[int, int]) -> None:
    """What must hold whatever the style."""
    available, reserved = left
    assert available + reserved == AVAILABLE
    for end, fate in zip(ends, given_fates, strict=True):
        price = price_of(fate)
        assert end.taken == end.recorded
        if end.saga == "completed":
            assert (end.order, end.taken, end.parcels) == ("completed", price, 1)
        elif end.saga == "compensated":
            assert (end.order, end.taken, end.parcels) == ("cancelled", Decimal(0), 0)
        else:
            assert end.saga == "needs_intervention"


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(given_fates=st.lists(fates, min_size=1, max_size=2))
def test_the_same_fate_ends_the_same_in_both_styles(given_fates):
    ends = {}
    for style in STYLES:
        ends[style], left = ends_in(style, given_fates)
        check_books(ends[style], given_fates, left)
        ends[style, "stock"] = left
    assert ends["orchestrated"] == ends["choreographed"]
    assert ends["orchestrated", "stock"] == ends["choreographed", "stock"]


FATES = [
    (Fate(1, "error_3", "", "error_3", ""), "completed"),
    (Fate(2, "", "", "", ""), "completed"),
    (Fate(9, "", "", "", ""), "compensated"),
    (Fate(2, "declined", "", "", ""), "compensated"),
    (Fate(2, "no_answer", "", "", ""), "compensated"),
    (Fate(2, "", "", "declined", ""), "compensated"),
    (Fate(2, "", "", "no_answer", ""), "compensated"),
    (Fate(2, "late_answer", "", "late_answer", ""), "completed"),
    (Fate(2, "", "declined", "declined", ""), "needs_intervention"),
    (Fate(2, "", "declined", "no_answer", ""), "needs_intervention"),
    (Fate(2, "", "late_answer", "declined", "error_2"), "compensated"),
]


@pytest.mark.parametrize(("fate", "status"), FATES, ids=str)
def test_each_fate_has_its_end_in_both_styles(fate, status):
    ends = {}
    for style in STYLES:
        [end], left = ends_in(style, [fate])
        assert end.saga == status
        check_books([end], [fate], left)
        ends[style] = end, left
    assert ends["orchestrated"] == ends["choreographed"]


@pytest.mark.parametrize("after", range(8))
def test_a_customer_can_cancel_at_any_moment(style, after):
    """Before the parcel is under way; after so many rounds of the subscriptions."""
    [order_id] = ids(1)
    receive(pen=AVAILABLE)
    Fate(2, "", "", "error_9", "").place(order_id)
    worker = Worker()
    for _ in range(after):
        worker.turn()
    cancel(order_id)

    style.run()

    end = end_of(order_id)
    assert (end.order, end.saga, end.taken, end.parcels) == ("cancelled", "compensated", 0, 0)
    assert end.recorded == 0
    assert stock() == (AVAILABLE, 0)


@pytest.mark.parametrize(
    ("payment", "parcel", "step", "taken"),
    [("pending", "", "pay", 0), ("", "pending", "ship", 3)],
)
def test_an_answer_may_take_days_and_then_the_order_is_given_up(
    style, payment, parcel, step, taken
):
    [order_id] = ids(1)
    receive(pen=AVAILABLE)
    Fate(2, payment, "", parcel, "").place(order_id)

    for _ in range(3):
        drain()
        fire_timers(database_time() + timedelta(days=2))
        fire_deadlines(database_time() + timedelta(days=2))
    instance = SagaInstance.objects.get(key=str(order_id))
    assert (instance.status, instance.under_way) == ("running", [step])
    assert (money_taken(order_id), parcels_under_way(order_id)) == (taken, 0)

    style.run()
    end = end_of(order_id)
    assert (end.order, end.saga, end.taken, end.parcels) == ("cancelled", "compensated", 0, 0)
    assert stock() == (AVAILABLE, 0)


MANY = [
    Fate(1, "", "", "", ""),
    Fate(1, "declined", "", "", ""),
    Fate(2, "late_answer", "", "", ""),
    Fate(1, "", "", "declined", ""),
    Fate(9, "", "", "", ""),
    Fate(1, "", "late_answer", "declined", ""),
]


class _Working:
    def __init__(self, style: str) -> None:
        self.style = style

    def __call__(self) -> None:
        with installed(self.style):
            Worker().run(idle_seconds=3)


def test_several_workers_see_orders_through_together(style):
    receive(pen=AVAILABLE * 20)
    given_fates = MANY * 5
    for order_id, fate in zip(ids(len(given_fates)), given_fates, strict=True):
        fate.place(order_id)

    run_at_once([_Working(style.name)] * 3)

    good = {MANY[0], MANY[2], MANY[4]}
    reserved = 0
    for order_id, fate in zip(ids(len(given_fates)), given_fates, strict=True):
        end = end_of(order_id)
        assert end.saga == ("completed" if fate in good else "compensated")
        assert end.taken == end.recorded == (price_of(fate) if fate in good else 0)
        assert end.parcels == (fate in good)
        reserved += fate.quantity * (fate in good)
    assert stock() == (AVAILABLE * 20 - reserved, reserved)
