"""Many new rows at once are the same rows as one by one, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from events.bulk import insert_rows
from orders.models import LedgerEntry, OrderSummary, OrderSummaryLine, PaymentLedgerEntry

pytestmark = pytest.mark.django_db

ODD = "tab\t, line\nend\r, back\\slash, \\N, \\., «ünï»\u2028, 'quotes\""
ROWS = [
    OrderSummary(
        order_id=UUID(int=1),
        state="cancelled",
        customer_id=UUID(int=2),
        total_amount=Decimal("999999999999.99"),
        currency="BRL",
        placed_at=datetime(2018, 2, 18, 0, 30, 0, 123456, tzinfo=timezone.get_fixed_timezone(-180)),
        reason=ODD,
        failure=r"\N",
    ),
    OrderSummary(order_id=UUID(int=3)),
]


def stored(model):
    return list(model.objects.order_by("pk").values())


def test_rows_are_what_bulk_create_makes_of_them():
    OrderSummary.objects.bulk_create(ROWS)
    expected = stored(OrderSummary)
    OrderSummary.objects.all().delete()

    insert_rows(OrderSummary.objects.all(), ROWS)

    assert stored(OrderSummary) == expected
    assert expected[0]["reason"] == ODD
    assert expected[0]["placed_at"] == datetime(2018, 2, 18, 3, 30, 0, 123456, tzinfo=UTC)


def test_rows_without_a_key_get_one_and_refer_to_others_by_theirs():
    line = {"order_id": UUID(int=1), "product_id": ODD, "quantity": 2, "unit_price": Decimal("0.1")}
    lines = [OrderSummaryLine(number=number, currency="BRL", **line) for number in (1, 2)]

    insert_rows(OrderSummaryLine.objects.all(), lines)
    insert_rows(OrderSummaryLine.objects.all(), [])

    first, second = OrderSummaryLine.objects.order_by("number")
    assert first.pk < second.pk
    assert (first.order_id, first.product_id, first.unit_price) == (
        UUID(int=1),
        ODD,
        Decimal("0.1"),
    )


def test_what_django_sets_is_set():
    entry = PaymentLedgerEntry(effect_key="x", outcome=LedgerEntry.Outcome.DONE)

    insert_rows(PaymentLedgerEntry.objects.all(), [entry])

    assert PaymentLedgerEntry.objects.get().created_at is not None


def test_a_row_that_is_there_is_refused():
    insert_rows(Group.objects.all(), [Group(name="twice")])

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(Group.objects.all(), [Group(name="once"), Group(name="twice")])

    assert [group.name for group in Group.objects.all()] == ["twice"]
