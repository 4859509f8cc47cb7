"""Orders over HTTP: one, or some at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine

from tests.api.conftest import Api
from tests.orders import shop
from tests.orders.shop import ANN, ORDER, OTHER, line
from tests.orders.test_orders_api import clients_api

BOB = UUID("018f0000-0000-7000-8000-00000000000b")
THIRD = UUID("018f0000-0000-7000-8000-000000000003")
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return clients_api("view_ordersummary")


def place_three() -> None:
    """Of Ann two, of which the second is cancelled; of Bob one."""
    shop.place(ORDER)
    shop.place(OTHER)
    shop.cancel(OTHER)
    shop.place(THIRD, user_id=BOB)
    shop.project()


def listed(api: Api, query: str = "") -> list[UUID]:
    response = api.get(f"/api/orders{query}")
    assert response.status_code == 200, response.content
    return [UUID(order["order_id"]) for order in response.json()["orders"]]


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["detail"]


def test_an_order_is_shown_with_its_lines(api):
    with time_machine.travel(MOMENT, tick=False):
        shop.receive(pen=2)
        shop.place(items=(line("pen", 2, "1.50"), line("ink", 1, "7.05")))
        shop.reserve()
        shop.cancel(reason="Too slow.")
        shop.project()
    response = api.get(f"/api/orders/{ORDER}")
    assert response.status_code == 200, response.content
    assert response.json() == {
        "order_id": str(ORDER),
        "customer_id": str(ANN),
        "state": "cancelled",
        "reason": "Too slow.",
        "failed_step": None,
        "failure": None,
        "total_amount": {"amount": "10.05", "currency": "EUR"},
        "reservation": "reserved",
        "payment": None,
        "shipment": None,
        "placed_at": "2026-03-01T12:00:00+00:00",
        "completed_at": None,
        "cancelled_at": "2026-03-01T12:00:00+00:00",
        "items": [
            {
                "product_id": "pen",
                "quantity": 2,
                "unit_price": {"amount": "1.50", "currency": "EUR"},
            },
            {
                "product_id": "ink",
                "quantity": 1,
                "unit_price": {"amount": "7.05", "currency": "EUR"},
            },
        ],
    }


def test_the_latest_orders_come_first_and_without_their_lines(api):
    place_three()
    assert listed(api) == [THIRD, OTHER, ORDER]
    assert "items" not in api.get("/api/orders").json()["orders"][0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"?customer={ANN}", [OTHER, ORDER]),
        (f"?customer={BOB}", [THIRD]),
        ("?state=cancelled", [OTHER]),
        ("?state=placed", [THIRD, ORDER]),
        (f"?state=placed&customer={ANN}", [ORDER]),
        (f"?state=completed&customer={ANN}", []),
        (f"?after={THIRD}", [OTHER, ORDER]),
        (f"?after={OTHER}&state=placed", [ORDER]),
        (f"?after={ORDER}", []),
    ],
)
def test_orders_are_chosen_by_customer_and_state(api, query, expected):
    place_three()
    assert listed(api, query) == expected


def test_pages_follow_each_other_to_the_end(api):
    place_three()
    url, seen = f"/api/orders?customer={ANN}&limit=1", []
    while url:
        page = api.get(url).json()
        seen += [UUID(order["order_id"]) for order in page["orders"]]
        url = page["next"]
    assert seen == [OTHER, ORDER]


def test_pages_cost_as_little_as_they_can(api, django_assert_num_queries):
    place_three()
    session_and_user = 2
    permissions = 2
    with django_assert_num_queries(session_and_user + permissions + 2):  # keys, then rows
        listed(api)
    with django_assert_num_queries(session_and_user + permissions + 2):
        api.get(f"/api/orders/{ORDER}")


def test_an_order_that_was_never_placed_is_not_found(api):
    shop.refund(OTHER)
    shop.project()
    for order_id in (ORDER, OTHER):
        status, detail = problem(api.get(f"/api/orders/{order_id}"))
        assert status == 404
        assert str(order_id) in detail
    assert listed(api) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("customer=ann", "customer"),
        ("state=lost", "state"),
        ("after=1", "after"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("colour=red", "colour"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_field(api, query, field):
    response = api.get(f"/api/orders?{query}")
    assert problem(response)[0] == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_an_id_that_is_none_is_refused(api):
    response = api.get("/api/orders/42")
    assert problem(response) == (400, "order_id: '42' isn't a UUID.")


def test_orders_are_shown_to_who_may_view_them(client):
    place_three()
    for path in ("/api/orders", f"/api/orders/{ORDER}"):
        assert problem(Api(client).get(path))[0] == 401
    api = clients_api("place_order")
    for path in ("/api/orders", f"/api/orders/{ORDER}"):
        assert problem(api.get(path))[0] == 403


def test_orders_can_be_looked_at_in_a_browser(api):
    place_three()
    response = api.get(f"/api/orders/{ORDER}", Accept="text/html")
    assert response.status_code == 200
    assert "As it was when" in response.content.decode()


def test_nothing_is_written_through_these_addresses(api):
    assert api.post("/api/orders", {}).status_code == 405
