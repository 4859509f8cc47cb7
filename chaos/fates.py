"""What is in store for an order, and whether it has come to that."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from events.models import Event
from orders.handlers.orders import orders
from orders.models import LedgerEntry, PaymentLedgerEntry, ShipmentLedgerEntry
from tests.orders.shop import address, line, money_recorded, stock

Outcome = LedgerEntry.Outcome

PLENTY, NONE, SCARCE = "pen", "unobtainable", "scarce"
QUANTITY, TOTAL = 2, Decimal("3.00")
COMPLETED, CANCELLED = "completed", "cancelled"
_NOWHERE = {"country": "AQ"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    name: str
    ends: frozenset[str]
    #: Of so many orders together.
    share: int = 1
    product: str = PLENTY
    payment_method: str = "card"
    address: dict[str, str] = field(default_factory=dict)
    is_never_answered: bool = False

    @property
    def order(self) -> dict[str, Any]:
        """Overrides for `tests.orders.shop.place`."""
        return {
            "items": (line(self.product, QUANTITY),),
            "payment_method": self.payment_method,
            "shipping_address": address(**self.address),
        }


_YES, _NO = frozenset({COMPLETED}), frozenset({CANCELLED})
FATES = (
    Fate(name="good", ends=_YES, share=8),
    Fate(name="last ones in stock", ends=_YES | _NO, share=2, product=SCARCE),
    Fate(name="no stock", ends=_NO, product=NONE),
    Fate(name="card declined", ends=_NO, share=2, payment_method="declined"),
    Fate(name="carrier refuses", ends=_NO, share=2, address=_NOWHERE),
    Fate(name="late answer of the gateway", ends=_YES, payment_method="late_answer"),
    Fate(name="late answer of the carrier", ends=_YES, address={"city": "late_answer"}),
    Fate(name="errors of the gateway", ends=_YES, payment_method="error_2"),
    Fate(name="errors of the carrier", ends=_YES, address={"city": "error_2"}),
    Fate(
        name="no answer of the gateway",
        ends=_NO,
        payment_method="no_answer",
        is_never_answered=True,
    ),
    Fate(
        name="no answer of the carrier",
        ends=_NO,
        address={"city": "no_answer"},
        is_never_answered=True,
    ),
    Fate(
        name="late answer to the refund",
        ends=_NO,
        payment_method="card+refund_late_answer",
        address=_NOWHERE,
    ),
    Fate(
        name="errors of the refund",
        ends=_NO,
        payment_method="card+refund_error_2",
        address=_NOWHERE,
    ),
)
_DEALT = [fate for fate in FATES for _ in range(fate.share)]


def fate_of(number: int) -> Fate:
    return _DEALT[number % len(_DEALT)]


def order_id_of(number: int) -> UUID:
    return UUID(int=0x018F0000_0000_7000_8000_0000_0000_0000 + number)


# --- in the end ---


@dataclass(frozen=True, slots=True)
class Judgement:
    #: By (fate, status).
    ends: Counter[tuple[str, str]]
    #: A sentence each.
    problems: list[str]


def judge(numbers: Iterable[int], received: dict[str, int]) -> Judgement:
    """Of the orders with these numbers, which are all there are."""
    ends: Counter[tuple[str, str]] = Counter()
    problems: list[str] = []
    completed: Counter[str] = Counter()
    books, told = _Books(), _outcomes()
    for number in numbers:
        fate, order_id = fate_of(number), order_id_of(number)
        status = orders.load(order_id).status
        assert status is not None
        ends[fate.name, status] += 1
        if status == COMPLETED:
            completed[fate.product] += QUANTITY
        problems += [
            f"{fate.name}, {order_id} ({status}): {problem}"
            for problem in [
                *_wrong_end(fate, status, told[str(order_id)]),
                *books.wrong_money(order_id, status),
                *books.wrong_parcels(order_id, status),
            ]
        ]
    problems += books.of_others()
    for product, quantity in received.items():
        available, reserved = stock(product)
        if (available, reserved) != (quantity - completed[product], completed[product]):
            problems.append(
                f"of {quantity} {product}, {available} are left and {reserved} taken, "
                f"for orders of {completed[product]}"
            )
    return Judgement(ends, problems)


def _outcomes() -> dict[str, list[str]]:
    types = ("OrderProcessingCompleted", "OrderProcessingFailed")
    told = defaultdict(list)
    rows = Event.objects.filter(event_type__in=types).values_list("aggregate_id", "event_type")
    for order_id, event_type in rows:
        told[order_id].append(event_type)
    return told


def _wrong_end(fate: Fate, status: str, told: Sequence[str]) -> Iterator[str]:
    if status not in fate.ends:
        yield f"it should be {' or '.join(sorted(fate.ends))}"
    wanted = "OrderProcessingCompleted" if status == COMPLETED else "OrderProcessingFailed"
    if list(told) != [wanted]:
        yield f"its outcome was told as {list(told)}"


class _Books:
    """Those of the gateway and of the carrier, by order."""

    def __init__(self) -> None:
        self._payments = _by_order(PaymentLedgerEntry.objects.all())
        self._parcels = _by_order(ShipmentLedgerEntry.objects.all())

    def wrong_money(self, order_id: UUID, status: str) -> Iterator[str]:
        entries = self._payments.pop(str(order_id), [])
        charges = [each.outcome for each in entries if not each.undone_key]
        refunds = [each for each in entries if each.undone_key and each.outcome == Outcome.DONE]
        taken = sum(outcome in (Outcome.DONE, Outcome.UNDONE) for outcome in charges)
        if taken > 1 or len(refunds) > 1:
            yield f"{taken} charges, {len(refunds)} refunds"
        if any(each.amount != TOTAL for each in refunds):
            yield "another amount was refunded"
        owed = TOTAL if status == COMPLETED else Decimal(0)
        if TOTAL * (taken - len(refunds)) != owed:
            yield f"the gateway has {TOTAL * (taken - len(refunds))} for it"
        if (recorded := money_recorded(order_id)) != owed:
            yield f"the events say that {recorded} was paid"

    def wrong_parcels(self, order_id: UUID, status: str) -> Iterator[str]:
        entries = self._parcels.pop(str(order_id), [])
        under_way = sum(each.outcome == Outcome.DONE and not each.undone_key for each in entries)
        if under_way != (status == COMPLETED):
            yield f"{under_way} parcels are under way"

    def of_others(self) -> Iterator[str]:
        for order_id in self._payments.keys() | self._parcels.keys():
            yield f"the books have entries for {order_id}, which is no order"


def _by_order(entries: Iterable[Any]) -> dict[str, list[Any]]:
    found = defaultdict(list)
    for entry in entries:
        found[entry.effect_key[-36:]].append(entry)
    return found
