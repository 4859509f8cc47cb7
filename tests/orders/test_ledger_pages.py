from __future__ import annotations

import pytest
from django.test import Client

from orders.models import PaymentLedgerEntry, ShipmentLedgerEntry
from tests.explorer.pages import list_url, row_url, shown, text_of
from tests.orders.shop import ORDER, OTHER, pay, place, refund, ship


@pytest.fixture(autouse=True)
def _two_orders(db: None) -> None:
    for order_id in (ORDER, OTHER):
        place(order_id)
        pay(order_id)
        ship(order_id)
    refund(ORDER)


def test_the_payment_ledger_is_listed_from_the_newest_entry_on(admin_client: Client) -> None:
    keys = [f"refund:{ORDER}", f"charge:{OTHER}", f"charge:{ORDER}"]
    assert shown(admin_client, list_url(PaymentLedgerEntry)) == keys


def test_an_entry_is_found_by_its_whole_key(admin_client: Client) -> None:
    url = list_url(PaymentLedgerEntry, q=f" charge:{ORDER} ")
    assert shown(admin_client, url) == [f"charge:{ORDER}"]
    assert "undone later" in text_of(admin_client, url)
    assert shown(admin_client, list_url(PaymentLedgerEntry, q="charge")) == []


def test_the_shipment_ledger_shows_where_parcels_go(admin_client: Client) -> None:
    keys = [f"parcel:{OTHER}", f"parcel:{ORDER}"]
    assert shown(admin_client, list_url(ShipmentLedgerEntry)) == keys
    assert "600 Akureyri" in text_of(admin_client, list_url(ShipmentLedgerEntry))


def test_nobody_changes_the_books(admin_client: Client) -> None:
    entry = PaymentLedgerEntry.objects.get(effect_key=f"charge:{ORDER}")
    url = row_url(entry)
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"amount": "0"}).status_code == 403
    entry.refresh_from_db()
    assert entry.amount == 3
