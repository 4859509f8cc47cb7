"""Reports: what the figures add up to, and the page that shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from events.delivery.rebuilding import Rebuild
from events.projections import projections
from events.store.configured import event_store
from events.streams import StreamName
from orders.events import OrderDelivered
from orders.models import OrderFigures
from orders.reports.bars import BarChart
from orders.reports.figures import Figures, currencies, figures_of
from orders.reports.sections import sections
from tests.orders.shop import cancel as cancel_order
from tests.orders.shop import line, pay, place, project, receive, refund, reserve, ship
from tests.orders.styles import installed

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "/admin/orders/orderfigures/"


def ids(number):
    return [UUID(int=each) for each in range(1, number + 1)]


def deliver(order_id, *, after):
    happened = OrderDelivered(occurred_on=MARCH + after)
    event_store().append(StreamName("Order", order_id), [happened])


@pytest.fixture
def orders():
    """One is delivered, one only shipped, one cancelled and refunded, one new in April."""
    delivered, shipped, cancelled, new = ids(4)
    with installed("orchestrated"), time_machine.travel(MARCH, tick=False) as clock:
        receive(pen=100)
        for order_id in (delivered, shipped, cancelled):
            place(order_id)
            reserve(order_id)
            pay(order_id)
        project()
        for order_id in (delivered, shipped):
            ship(order_id)
        deliver(delivered, after=timedelta(days=2, hours=23))
        cancel_order(cancelled)
        refund(cancelled)
        clock.move_to(MARCH + timedelta(days=40))
        place(new)
        project()
        yield


def rows():
    fields = ("month", "state", "payment", "delivery_days", "orders", "charged", "refunded")
    found = OrderFigures.objects.filter(orders__gt=0).order_by("month", "state")
    return list(found.values_list(*fields))


EXPECTED = [
    ("2026-03", "cancelled", "refunded", None, 1, 3, 3),
    ("2026-03", "delivered", "paid", 2, 1, 3, 0),
    ("2026-03", "shipped", "paid", None, 1, 3, 0),
    ("2026-04", "placed", "", None, 1, 0, 0),
]


def test_an_order_counts_where_it_stands_and_nowhere_else(orders):
    assert rows() == EXPECTED
    assert not OrderFigures.objects.filter(orders=0).exists()


@pytest.mark.django_db(transaction=True)
def test_rebuilt_figures_are_the_same(orders):
    OrderFigures.objects.all().delete()

    Rebuild(projections.get("orders.orders")).run()

    assert rows() == EXPECTED


def test_each_report_adds_them_up(orders):
    by_state, revenue, cancellations, delivery = sections(figures_of("EUR"))

    assert [row[:2] for row in by_state.tables[0].rows] == [
        ("placed", "1"),
        ("shipped", "1"),
        ("delivered", "1"),
        ("cancelled", "1"),
    ]
    assert by_state.tables[0].totals == ("all", "4", "100.0 %", "12.00")
    assert list(revenue.tables[0].rows) == [
        ("2026-04", "0.00", "0.00", "0.00"),
        ("2026-03", "3.00", "3.00", "6.00"),
    ]
    assert revenue.tables[0].totals == ("all", "3.00", "3.00", "6.00")
    assert cancellations.tables[0].rows[1] == ("2026-03", "3", "1", "33.3 %", "1", "3.00")
    assert list(cancellations.tables[1].rows) == [("none: it was called off", "1", "100.0 %")]
    assert [value for _, value in delivery.facts] == ["1", "2 days", "2 days"]
    assert list(delivery.tables[0].rows) == [(2, "1", "100.0 %", "100.0 %")]


def test_an_early_parcel_counts_as_delivered_at_once_and_late_ones_are_not_told_apart():
    early, late = ids(2)
    with time_machine.travel(MARCH, tick=False):
        place(early)
        place(late)
        deliver(early, after=timedelta(days=-3))
        deliver(late, after=timedelta(days=400))
    project()

    days = OrderFigures.objects.filter(orders=1).values_list("delivery_days", flat=True)
    assert sorted(days) == [0, 90]


def test_currencies_are_never_added(orders):
    other = UUID(int=9)
    place(other, items=(line(price="1.50"),))
    OrderFigures.objects.create(
        key="x", month="2026-03", currency="ISK", state="paid", orders=9, charged=Decimal(9000)
    )

    assert currencies() == ["ISK", "EUR"]
    assert {row.currency for row in OrderFigures.objects.filter(orders__gt=0)} == {"EUR", "ISK"}
    assert sum(row.charged for row in figures_of("EUR").rows) == 9


def test_nothing_is_shown_of_nothing():
    assert [section.tables[0].rows for section in sections(Figures("EUR", []))] == [[]] * 4


def test_bars_are_drawn_to_one_scale():
    first, second = BarChart(title="", description="", values=[("a", 2), ("b", 1)]).bars
    assert float(first.height) == pytest.approx(2 * float(second.height), abs=0.2)
    assert float(second.x) > float(first.x) + float(first.width)
    assert float(first.y) + float(first.height) == pytest.approx(
        float(second.y) + float(second.height), abs=0.2
    )


# --- the page ---


@pytest.fixture
def viewer(client):
    user = get_user_model().objects.create_user("ann", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_orderfigures"))
    client.force_login(user)
    return client


def test_the_page_shows_them_without_any_inline_code(orders, viewer):
    response = viewer.get(ADDRESS)
    page = response.content.decode()

    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    for script in re.findall(r"<script[^>]*>", page):
        assert "src=" in script
    assert page.count('role="img"') == 4
    for name in re.findall(r'aria-labelledby="([^"]+)"', page):
        for each in name.split():
            assert f'id="{each}"' in page
    assert "2026-03" in page
    assert "33.3 %" in page


def test_another_currency_can_be_chosen(orders, viewer):
    OrderFigures.objects.create(
        key="x", month="2026-03", currency="ISK", state="paid", orders=1, charged=Decimal(9000)
    )

    assert "9,000.00" in viewer.get(ADDRESS, {"currency": "ISK"}).content.decode()
    assert "9,000.00" not in viewer.get(ADDRESS, {"currency": "EUR"}).content.decode()
    assert "9,000.00" not in viewer.get(ADDRESS, {"currency": "none"}).content.decode()


def test_before_the_first_order_the_page_says_so(viewer):
    assert "No order has been placed yet." in viewer.get(ADDRESS).content.decode()


def test_the_page_is_for_those_who_may_see_it(client, viewer):
    assert viewer.post(ADDRESS).status_code == 405
    client.force_login(get_user_model().objects.create_user("bob", is_staff=True))
    assert client.get(ADDRESS).status_code == 403
    client.logout()
    assert client.get(ADDRESS).status_code == 302
