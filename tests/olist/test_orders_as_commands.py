"""`manage.py import_olist --as commands`: each order is placed again, and ends as it did."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management.base import CommandError

from events.models import CommandRecord
from olist.fates import Fate, fate_of
from olist.models import PlacedOrder
from olist.outcomes import outcomes
from orders.models import OrderSummary, PaymentLedgerEntry, StockLevel
from sagas.models import SagaInstance
from tests.olist.placed import EMPTY, FIRST_MONTH, NUMBER, SECOND_MONTH, write_orders
from tests.olist.sample import ORDERS, hexadecimal
from tests.orders.shop import history, project, receive, reserve
from tests.orders.styles import STYLES, installed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=STYLES)
def style(request):
    with installed(request.param) as chosen:
        yield chosen


@pytest.fixture
def orchestrated():
    with installed("orchestrated") as chosen:
        yield chosen


def place(run, directory, *arguments):
    return run("import_olist", directory, "--as", "commands", *arguments)


def rows_of(out):
    """The lines of the tables, without the spaces between their cells, and without the progress
    before them."""
    tables = out[out.index("STATUS") :]
    return [" ".join(line.split()) for line in tables.splitlines()]


def test_each_order_ends_as_the_data_set_says(style, run, folder):
    out = rows_of(place(run, write_orders(folder)))

    assert out[1:11] == [
        "approved running, waiting for shipping 1 1",
        "canceled cancelled, payment refunded, stock released 2 2",
        "canceled cancelled, stock released 2 2",
        "created running, waiting for payment 1 1",
        "delivered completed 5 5",
        "invoiced running, waiting for shipping 1 1",
        "processing running, waiting for shipping 1 1",
        "shipped completed 1 1",
        "unavailable cancelled, nothing to undo 2 2",
        f"all {NUMBER} {NUMBER}",
    ]
    # Of the eleven that were charged, two were paid back; three pieces each.
    assert "charged 270.82 BRL 270.82 BRL" in out
    assert "refunded 49.24 BRL 49.24 BRL" in out
    assert "pieces received 42" in out
    assert "pieces reserved 30 30" in out
    assert Counter(SagaInstance.objects.values_list("status", flat=True)) == {
        "completed": 6,
        "compensated": 6,
        "running": 4,
    }


def test_it_costs_what_the_items_and_the_freight_cost_and_what_was_paid_is_charged(
    orchestrated, run, folder
):
    place(run, write_orders(folder))

    for row in OrderSummary.objects.all():
        assert row.total_amount == Decimal("24.63")
    charges = PaymentLedgerEntry.objects.filter(undone_key="").exclude(outcome="")
    assert {entry.amount for entry in charges} == {Decimal("24.62")}
    paid = [e.event for e in history("Payment", UUID(int=100))]
    assert [each.amount.amount for each in paid] == [Decimal("24.62")]


def test_an_order_without_lines_is_listed_and_the_others_go_on(orchestrated, run, folder):
    out = place(run, write_orders(folder))

    assert "1 rows were refused" in out
    [listed] = map(json.loads, Path(f"{ORDERS}.refused.jsonl").read_text().splitlines())
    assert listed["reason"] == "items: the order has no lines"
    assert (listed["line"], listed["row"]["order_id"]) == (2, hexadecimal(EMPTY))
    assert not PlacedOrder.objects.filter(pk=UUID(int=EMPTY)).exists()


def test_a_second_run_stores_nothing_and_says_so(orchestrated, store, run, folder):
    directory = write_orders(folder)
    first = place(run, directory)
    before = store.high_water_mark()

    second = place(run, directory)

    assert "\n0 orders placed" in f"\n{second}"
    assert f"{NUMBER} were placed before" in second
    assert rows_of(second) == rows_of(first)
    assert store.high_water_mark() == before


def test_months_can_be_placed_one_after_the_other(orchestrated, run, folder):
    directory = write_orders(folder)

    first = place(run, directory, "--month", FIRST_MONTH)
    placed = PlacedOrder.objects.count()
    assert set(PlacedOrder.objects.values_list("month", flat=True)) == {FIRST_MONTH}
    assert f"all {placed} {placed}" in rows_of(first)
    assert 0 < placed < NUMBER

    place(run, directory, "--month", SECOND_MONTH)
    both = place(run, directory)
    assert f"all {NUMBER} {NUMBER}" in rows_of(both)
    assert StockLevel.objects.get(pk=hexadecimal(501)).on_hand == 2 * (NUMBER - 2)


@pytest.mark.parametrize(
    "arguments", [("--month", "november"), ("--month", "2017-11", "--as", "history")]
)
def test_a_month_that_is_none_is_refused(run, folder, arguments):
    with pytest.raises(CommandError, match="--month"):
        place(run, write_orders(folder), *arguments)


def test_an_order_that_was_placed_by_others_is_refused(orchestrated, run, folder):
    directory = write_orders(folder)
    place(run, directory)
    CommandRecord.objects.filter(command_type="PlaceOrder").delete()

    out = place(run, directory)

    assert f"{NUMBER + 1} rows were refused" in out
    listed = Path(f"{ORDERS}.refused.jsonl").read_text().splitlines()
    assert "is placed" in json.loads(listed[-1])["reason"]
    assert not PlacedOrder.objects.exists()


def test_an_order_that_ends_otherwise_is_told(orchestrated, run, folder):
    directory = write_orders(folder)
    place(run, directory)
    other = PlacedOrder.objects.filter(fate=Fate.COMPLETED).first()
    PlacedOrder.objects.filter(pk=other.pk).update(fate=Fate.NOT_CARRIED)

    with pytest.raises(CommandError, match=f"{other.pk}: delivered, but order completed"):
        place(run, directory)


def test_stock_that_nobody_ordered_is_told(orchestrated, run, folder):
    place(run, write_orders(folder))
    assert outcomes().hold

    receive(**{hexadecimal(501): 1})
    waiting = PlacedOrder.objects.filter(fate=Fate.NO_STOCK).first()
    reserve(waiting.order_id, **{hexadecimal(501): 1})
    project()
    assert outcomes().hold  # refused: the order is cancelled

    StockLevel.objects.filter(pk=hexadecimal(501)).update(reserved=0)
    assert any("0 reserved" in difference for difference in outcomes().differences)


def test_a_status_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="order_status"):
        fate_of("lost", is_approved=True)
