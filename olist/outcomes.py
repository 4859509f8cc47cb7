"""What became of the orders that were placed again, held against what the data set says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from uuid import UUID

from orders.gateways.payments import charge_key
from orders.models import LedgerEntry, OrderSummary, PaymentLedgerEntry, StockLevel
from orders.models.orders import OrderSummaryLine
from sagas.models import SagaInstance

from .fates import Fate, Standing
from .models import PlacedOrder

_BATCH_SIZE = 1_000
_MOST_DIFFERENCES = 20


@dataclass(slots=True)
class Money:
    """By the books of the gateway, and as the data set has it; in BRL."""

    charged: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    to_be_charged: Decimal = Decimal(0)
    to_be_refunded: Decimal = Decimal(0)


@dataclass(slots=True)
class Stock:
    """Pieces, by the shop's own read model, and those in orders that hold theirs."""

    received: int = 0
    reserved: int = 0
    to_be_reserved: int = 0


@dataclass(slots=True)
class Outcomes:
    #: Orders by status in the data set and by what the world did.
    orders: Counter[tuple[str, Fate]] = field(default_factory=Counter)
    #: Of them, those that stand where they must.
    as_expected: Counter[tuple[str, Fate]] = field(default_factory=Counter)
    money: Money = field(default_factory=Money)
    stock: Stock = field(default_factory=Stock)
    #: In words; some of them, if they are many.
    differences: list[str] = field(default_factory=list)

    @property
    def hold(self) -> bool:
        return not self.differences

    def tell(self, difference: str) -> None:
        if len(self.differences) < _MOST_DIFFERENCES:
            self.differences.append(difference)


def outcomes(month: str | None = None) -> Outcomes:
    """Of all orders of the data set that were placed, or of those of a month."""
    found = Outcomes()
    rows = PlacedOrder.objects.order_by("pk")
    placed = (rows if month is None else rows.filter(month=month)).iterator(_BATCH_SIZE)
    while batch := {row.pk: row for row in islice(placed, _BATCH_SIZE)}:
        _look_at(batch, found)
    _count_stock(found)
    return found


def _look_at(batch: dict[UUID, PlacedOrder], found: Outcomes) -> None:
    orders = OrderSummary.objects.in_bulk(batch)
    processes = {
        process.key: process
        for process in SagaInstance.objects.filter(key__in=[str(pk) for pk in batch])
    }
    books = _books(batch)
    for pk, row in batch.items():
        fate = Fate(row.fate)
        found.orders[row.status, fate] += 1
        order, process = orders.get(pk), processes.get(str(pk))
        if order is None or process is None:
            found.tell(f"{pk}: has no {'row' if order is None else 'process'}")
        elif (standing := Standing.of(order, process)) != fate.standing:
            found.tell(f"{pk}: {row.status}, but {standing}")
        else:
            found.as_expected[row.status, fate] += 1
        _count_money(row, fate, books.get(pk), found)


def _books(batch: dict[UUID, PlacedOrder]) -> dict[UUID, PaymentLedgerEntry]:
    by_key = {charge_key(row.order_id): pk for pk, row in batch.items()}
    entries = PaymentLedgerEntry.objects.filter(effect_key__in=by_key)
    return {by_key[entry.effect_key]: entry for entry in entries}


def _count_money(
    row: PlacedOrder, fate: Fate, entry: PaymentLedgerEntry | None, found: Outcomes
) -> None:
    outcome = entry.outcome if entry else ""
    amount = (entry.amount if entry else None) or Decimal(0)
    charged = amount if outcome in (LedgerEntry.Outcome.DONE, LedgerEntry.Outcome.UNDONE) else 0
    refunded = amount if outcome == LedgerEntry.Outcome.UNDONE else 0
    to_be_charged = row.charged if fate.is_charged else 0
    to_be_refunded = row.charged if fate is Fate.NOT_CARRIED else 0
    if (charged, refunded) != (to_be_charged, to_be_refunded):
        found.tell(
            f"{row.pk}: {charged} charged and {refunded} refunded, "
            f"not {to_be_charged} and {to_be_refunded}"
        )
    money = found.money
    money.charged += charged
    money.refunded += refunded
    money.to_be_charged += to_be_charged
    money.to_be_refunded += to_be_refunded


def _count_stock(found: Outcomes) -> None:
    """Of the whole shop: the stock of a product is not that of a month."""
    held: Counter[str] = Counter()
    for product_id, quantity in _lines_that_hold():
        held[product_id] += quantity
    for level in StockLevel.objects.iterator(_BATCH_SIZE):
        found.stock.received += level.on_hand
        found.stock.reserved += level.reserved
        if level.reserved != held[level.product_id]:
            found.tell(
                f"{level.product_id}: {level.reserved} reserved, not {held[level.product_id]}"
            )
    found.stock.to_be_reserved = held.total()


def _lines_that_hold() -> Iterator[tuple[str, int]]:
    holding = OrderSummary.objects.filter(reservation="reserved").values("pk")
    lines = OrderSummaryLine.objects.filter(order__in=holding)
    return iter(lines.values_list("product_id", "quantity").iterator(_BATCH_SIZE))
