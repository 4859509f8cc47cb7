"""What changed orders add to the figures that reports show, and take away from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet

from ..models import OrderFigures, OrderSummary

#: Longer than this is not told apart.
MOST_DELIVERY_DAYS = 90


class Cell(NamedTuple):
    """What orders are alike in."""

    month: str
    currency: str
    state: str
    payment: str
    failed_step: str
    delivery_days: int | None

    @property
    def key(self) -> str:
        return "|".join("" if value is None else str(value) for value in self)


@dataclass(slots=True)
class _Sum:
    orders: int = 0
    amount: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)

    def add(self, row: OrderSummary, times: int) -> None:
        self.orders += times
        self.amount += times * (row.total_amount or 0)
        self.charged += times * row.charged_amount
        self.refunded += times * row.refunded_amount

    def __bool__(self) -> bool:
        return bool(self.orders or self.amount or self.charged or self.refunded)


@dataclass(slots=True)
class FigureChanges:
    """Count the rows before they change and after it."""

    _sums: defaultdict[Cell, _Sum] = field(default_factory=lambda: defaultdict(_Sum))

    def take_away(self, rows: Iterable[OrderSummary]) -> None:
        self._count(rows, -1)

    def add(self, rows: Iterable[OrderSummary]) -> None:
        self._count(rows, 1)

    def write(self, figures: QuerySet[OrderFigures]) -> None:
        """By the one who writes them."""
        changes = {cell.key: (cell, change) for cell, change in self._sums.items() if change}
        stored = figures.in_bulk(changes)
        for key, (cell, change) in changes.items():
            row = stored.setdefault(key, figures.model(key=key, **cell._asdict()))
            row.orders += change.orders
            row.amount += change.amount
            row.charged += change.charged
            row.refunded += change.refunded
        # A row of nothing would be there or not, as the batches happen to be cut.
        empty = [key for key, row in stored.items() if not row.orders]
        if empty:
            figures.filter(pk__in=empty).delete()
        figures.bulk_create(
            [row for row in stored.values() if row.orders],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["orders", "amount", "charged", "refunded"],
        )

    def _count(self, rows: Iterable[OrderSummary], times: int) -> None:
        for row in rows:
            if row.placed_at is not None:
                self._sums[_cell(row)].add(row, times)


def _cell(row: OrderSummary) -> Cell:
    assert row.placed_at is not None
    days = None
    if row.delivered_at is not None:
        # Some parcels are said to arrive before they were ordered.
        days = max(0, min((row.delivered_at - row.placed_at).days, MOST_DELIVERY_DAYS))
    placed = row.placed_at.astimezone(UTC)
    return Cell(
        month=f"{placed.year:04}-{placed.month:02}",
        currency=row.currency,
        state=row.state,
        payment=row.payment,
        failed_step=row.failed_step,
        delivery_days=days,
    )
