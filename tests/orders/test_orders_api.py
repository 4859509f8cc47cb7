"""The shop over HTTP, by the endpoints made from its commands."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.api.conftest import Api
from tests.orders.shop import ANN, ORDER, event_names, money_taken, receive

PERMISSIONS = {
    "place_order",
    "cancel_order",
    "complete_order",
    "receive_stock",
    "reserve_inventory",
    "release_inventory",
    "process_payment",
    "refund_payment",
    "arrange_shipping",
    "cancel_shipping",
}


def body(**overrides: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "order_id": str(ORDER),
        "user_id": str(ANN),
        "items": [
            {
                "product_id": "pen",
                "quantity": 2,
                "unit_price": {"amount": "1.50", "currency": "EUR"},
            }
        ],
        "shipping_address": {
            "name": "Ann",
            "street": "Hafnarstræti 1",
            "postal_code": "600",
            "city": "Akureyri",
            "country": "IS",
        },
        "payment_method": "card",
    }
    return values | overrides


def clients_api(*permissions: str) -> Api:
    user = User.objects.create_user("ada")
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="orders", codename__in=permissions)
    )
    client = Client()
    client.force_login(user)
    return Api(client)


@pytest.fixture
def api(db: None) -> Api:
    return clients_api(*PERMISSIONS)


def errors(response: Any) -> list[str]:
    assert response.status_code == 400, response.content
    return [error["field"] for error in response.json()["errors"]]


def test_an_order_is_placed(api):
    response = api.send("place-order", body())
    assert response.status_code == 200, response.content
    answer = response.json()
    assert answer["result"] == {"order_id": str(ORDER), "total_amount": "3.00 EUR"}
    assert answer["appended"][0]["stream"] == f"Order-{ORDER}"
    assert event_names("Order") == ["OrderPlaced"]


def test_an_order_gets_an_id_where_none_is_given(api):
    content = body()
    del content["order_id"]
    first = api.send("place-order", content, **{"Idempotency-Key": str(ANN)}).json()
    again = api.send("place-order", content, **{"Idempotency-Key": str(ANN)}).json()
    assert first["result"] == again["result"]
    assert event_names("Order", first["result"]["order_id"]) == ["OrderPlaced"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"product_id": "pen", "quantity": 0}]}, "items[0].quantity"),
        ({"user_id": 5}, "user_id"),
        ({"payment_method": "x" * 101}, "payment_method"),
        ({"shipping_address": {"country": "Iceland"}}, "shipping_address.country"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_fit_is_refused_by_field(api, changes, field):
    assert field in errors(api.send("place-order", body(**changes)))
    assert event_names("Order") == []


@pytest.mark.parametrize(
    ("unit_price", "field"),
    [
        ({"amount": "1.505", "currency": "EUR"}, "amount"),
        ({"amount": 1.25, "currency": "JPY"}, "amount"),
        ({"amount": "1E+30", "currency": "EUR"}, "amount"),
        ({"amount": "NaN", "currency": "EUR"}, "amount"),
        ({"amount": "1.50", "currency": "euro"}, "currency"),
        ({"amount": "1.50"}, "currency"),
        ({"amount": "0", "currency": "EUR"}, "amount"),
    ],
)
def test_a_price_that_cannot_be_is_refused_by_field(api, unit_price, field):
    items = [{"product_id": "pen", "quantity": 1, "unit_price": unit_price}]
    assert errors(api.send("place-order", body(items=items))) == [f"items[0].unit_price.{field}"]


def test_a_whole_order_by_hand(api):
    receive(pen=5)
    steps = [
        ("place-order", body(), {"order_id": str(ORDER), "total_amount": "3.00 EUR"}),
        ("reserve-inventory", {"items": {"pen": 2}}, {"reply": "InventoryReserved"}),
        (
            "process-payment",
            {"amount": {"amount": "3.00", "currency": "EUR"}, "payment_method": "card"},
            {"reply": "PaymentProcessed"},
        ),
        (
            "arrange-shipping",
            {"shipping_address": body()["shipping_address"]},
            {"reply": "ShippingArranged"},
        ),
        ("complete-order", {}, None),
    ]
    for slug, content, result in steps:
        response = api.send(slug, {"order_id": str(ORDER)} | content)
        assert response.status_code == 200, (slug, response.content)
        assert response.json()["result"] == result
    assert event_names("Order") == ["OrderPlaced", "OrderShipped", "OrderCompleted"]
    assert money_taken() == 3

    refused = api.send("cancel-order", {"order_id": str(ORDER), "reason": "Too late."})
    assert (refused.status_code, refused.json()["code"]) == (422, "order_is_completed")


def test_a_gateway_without_an_answer_is_not_this_servers_error(api):
    api.send("place-order", body())
    amount = {"amount": "3.00", "currency": "EUR"}
    content = {"order_id": str(ORDER), "amount": amount, "payment_method": "no_answer"}
    response = api.send("process-payment", content)
    assert response.status_code == 503
    assert "got no answer" in response.json()["detail"]


@pytest.mark.django_db
def test_each_command_has_a_permission_of_its_own():
    api = clients_api("cancel_order")
    assert api.send("place-order", body()).status_code == 403
    listed = api.get("/api/commands").json()["commands"]
    assert [command["name"] for command in listed] == ["cancel-order"]


@pytest.mark.django_db
def test_the_permissions_exist():
    found = Permission.objects.filter(content_type__app_label="orders", codename__in=PERMISSIONS)
    assert {permission.codename for permission in found} == PERMISSIONS
