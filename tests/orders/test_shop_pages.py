"""The read models in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from events.models import Event
from orders.models import OrderSummary, PaymentSummary, ShipmentSummary, StockLevel
from tests.explorer.pages import inline_code, links, list_url, row_url, shown, text_of
from tests.orders import shop
from tests.orders.shop import ANN, ORDER, OTHER, line

MODELS = (OrderSummary, PaymentSummary, ShipmentSummary, StockLevel)


@pytest.fixture(autouse=True)
def _two_orders(db: None) -> None:
    shop.receive(pen=5, ink=1)
    for order_id in (ORDER, OTHER):
        shop.place(order_id, items=(line("pen", 2, "1.50"),))
        shop.reserve(order_id)
        shop.pay(order_id)
        shop.ship(order_id)
    shop.cancel_shipping(OTHER)
    shop.refund(OTHER)
    shop.cancel(OTHER, reason="Too slow.")
    shop.project()


def test_orders_are_listed_from_the_latest_on(admin_client: Client) -> None:
    assert shown(admin_client, list_url(OrderSummary)) == [str(OTHER), str(ORDER)]


@pytest.mark.parametrize(
    ("model", "state", "expected"),
    [
        (OrderSummary, "cancelled", [OTHER]),
        (OrderSummary, "shipped", [ORDER]),
        (OrderSummary, "completed", []),
        (PaymentSummary, "refunded", [OTHER]),
        (PaymentSummary, "paid", [ORDER]),
        (ShipmentSummary, "cancelled", [OTHER]),
        (ShipmentSummary, "arranged", [ORDER]),
    ],
)
def test_rows_are_filtered_by_state(admin_client, model, state, expected) -> None:
    url = list_url(model, state=state)
    assert shown(admin_client, url) == [str(each) for each in expected]


def test_each_state_can_be_chosen(admin_client: Client) -> None:
    chosen = links(text_of(admin_client, list_url(OrderSummary)))
    assert {"placed", "reserved", "paid", "shipped", "completed", "cancelled"} <= set(chosen)


@pytest.mark.parametrize("model", [OrderSummary, PaymentSummary, ShipmentSummary])
def test_a_row_is_found_by_the_id_of_its_order(admin_client, model) -> None:
    assert shown(admin_client, list_url(model, q=f" {ORDER} ")) == [str(ORDER)]
    assert "isn&#x27;t an id." in text_of(admin_client, list_url(model, q="42"))


def test_orders_are_found_by_their_customer(admin_client: Client) -> None:
    assert shown(admin_client, list_url(OrderSummary, q=str(ANN))) == [str(OTHER), str(ORDER)]
    narrowed = list_url(OrderSummary, q=str(ANN), state="shipped")
    assert shown(admin_client, narrowed) == [str(ORDER)]


def test_stock_is_listed_by_product_and_found_by_it(admin_client: Client) -> None:
    assert shown(admin_client, list_url(StockLevel)) == ["ink", "pen"]
    assert shown(admin_client, list_url(StockLevel, q=" pen ")) == ["pen"]


def test_an_order_shows_its_lines_and_links_to_its_streams(admin_client: Client) -> None:
    html = text_of(admin_client, row_url(OrderSummary.objects.get(pk=OTHER)))
    assert "Too slow." in html
    assert "1.500" in html
    found = links(html)
    for category in ("Order", "Reservation", "Payment", "Shipment"):
        events = list_url(Event, q=f"stream:{category}-{OTHER}")
        assert found[category] == events
        assert shown(admin_client, events)


def test_stock_links_to_its_stream(admin_client: Client) -> None:
    html = text_of(admin_client, row_url(StockLevel.objects.get(pk="pen")))
    events = list_url(Event, q="stream:Stock-pen")
    assert f'href="{events}"' in html
    assert len(shown(admin_client, events)) == 3


@pytest.mark.parametrize("model", MODELS)
def test_nobody_changes_what_events_have_made(admin_client, model) -> None:
    row = model.objects.first()
    url = row_url(row)
    assert inline_code(text_of(admin_client, url)) == []
    assert admin_client.post(url, {"state": "paid"}).status_code == 403
    assert admin_client.get(list_url(model) + "add/").status_code == 403
    assert admin_client.post(row_url(row, "delete"), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS)
def test_pages_are_for_those_who_may_view_the_model(client, model) -> None:
    user = User.objects.create_user("ada", is_staff=True)
    client.force_login(user)
    assert client.get(list_url(model)).status_code == 403
    assert client.get(row_url(model.objects.first())).status_code == 403
    name = f"view_{model._meta.model_name}"
    user.user_permissions.add(Permission.objects.get(codename=name))
    assert shown(client, list_url(model))
    assert text_of(client, row_url(model.objects.first()))


@pytest.mark.parametrize("model", MODELS)
def test_a_list_counts_nothing(admin_client, model, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(4) as captured:
        shown(admin_client, list_url(model))
    assert not [query for query in captured if "COUNT(" in query["sql"]]
