"""The figures as rows, by the currency that they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Sum

from ..models import OrderFigures

#: The latest ones are shown.
MOST_MONTHS = 36


class Figure(NamedTuple):
    month: str
    state: str
    payment: str
    failed_step: str
    delivery_days: int | None
    orders: int
    amount: Decimal
    charged: Decimal
    refunded: Decimal

    @property
    def revenue(self) -> Decimal:
        return self.charged - self.refunded


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one currency; amounts of two are never added."""

    currency: str
    rows: Sequence[Figure]

    @property
    def months(self) -> list[str]:
        return sorted({row.month for row in self.rows})

    def orders(self, chosen: Callable[[Figure], bool]) -> int:
        return sum(row.orders for row in self.rows if chosen(row))


def currencies() -> list[str]:
    """Those that most orders are in come first."""
    rows = OrderFigures.objects.values_list("currency").annotate(number=Sum("orders"))
    return [currency for currency, _ in rows.order_by("-number", "currency")]


def figures_of(currency: str) -> Figures:
    rows = OrderFigures.objects.filter(currency=currency)
    months = rows.order_by("-month").values_list("month", flat=True).distinct()[:MOST_MONTHS]
    first = min(months, default="")
    shown = rows.filter(month__gte=first).values_list(*Figure._fields)
    return Figures(currency, [Figure(*row) for row in shown])


def total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
