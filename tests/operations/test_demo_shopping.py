"""The demo's orders: of all kinds, and each becomes what its kind demands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from demo import scenario, shopping
from demo.shopping import KINDS, NUMBER_OF_ORDERS, Fate, differences, place_orders
from demo.tally import Tally
from orders.models import OrderState, OrderSummary, StockLevel
from tests.orders.shop import project
from tests.orders.styles import STYLES, Style, installed

pytestmark = pytest.mark.django_db


@pytest.fixture
def tally(monkeypatch) -> Tally:
    """Of a morning with few people in it."""
    monkeypatch.setattr(scenario, "NUMBER_OF_PEOPLE", 3)
    tally = Tally()
    scenario.play(tally, progress=lambda: None)
    return tally


@pytest.fixture
def _one_of_each(monkeypatch) -> None:
    few = tuple(replace(kind, number=1) for kind in KINDS)
    monkeypatch.setattr(shopping, "KINDS", few)


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> Iterator[Style]:
    """What sees the orders through."""
    with installed(request.param) as chosen:
        yield chosen


def test_some_hundred_orders_of_all_kinds_are_placed(tally):
    progressed = []
    placed = place_orders(tally, lambda: progressed.append(1))
    project()

    assert len(progressed) == len(placed) == NUMBER_OF_ORDERS >= 100
    assert tally.done["PlaceOrder"] == NUMBER_OF_ORDERS
    assert Counter(kind.name for kind in placed.values()) == {
        kind.name: kind.number for kind in KINDS
    }
    assert OrderSummary.objects.filter(pk__in=placed, state="placed").count() == len(placed)
    assert OrderSummary.objects.values("customer_id").distinct().count() > 1
    assert not StockLevel.objects.filter(pk="lute").exists()


@pytest.mark.usefixtures("_one_of_each")
def test_each_order_meets_the_fate_of_its_kind(tally, style):
    placed = place_orders(tally, lambda: None)
    assert differences(placed) == [f"{kind.name}: 1 not seen yet" for kind in placed.values()]
    style.run()
    assert differences(placed) == []
    assert not OrderSummary.objects.exclude(state__in=["completed", "cancelled"]).exists()


@pytest.mark.usefixtures("_one_of_each")
def test_the_demo_can_order_again_on_its_own_data(tally, style):
    for _ in range(2):
        placed = place_orders(tally, lambda: None)
        style.run()
        assert differences(placed) == []


@pytest.mark.usefixtures("_one_of_each")
def test_an_order_that_stands_elsewhere_is_noticed(tally, style):
    placed = place_orders(tally, lambda: None)
    style.run()
    [good] = [order_id for order_id, kind in placed.items() if kind.name == "good"]
    [unpaid] = [order_id for order_id, kind in placed.items() if kind.name == "card declined"]
    stand(good, state="placed")
    stand(unpaid, failed_step="reserve")
    assert differences(placed) == [
        "good: 1 placed",
        "card declined: 1 cancelled, failed at reserve",
    ]


def stand(order_id: UUID, **columns: str) -> None:
    OrderSummary.objects.filter(pk=order_id).update(**columns)


def test_an_order_may_wait_where_its_fate_lets_it():
    fate = Fate(state=OrderState.CANCELLED, failed_step="pay", meanwhile=OrderState.RESERVED)
    assert fate.is_met_by(OrderSummary(state="reserved"))
    assert fate.is_met_by(OrderSummary(state="cancelled", failed_step="pay"))
    assert not fate.is_met_by(OrderSummary(state="cancelled", failed_step="ship"))
    assert not fate.is_met_by(OrderSummary(state="paid"))
