"""What is ordered: some of one product at a price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from events.limits import Limits

from .money import Money

ProductId: TypeAlias = Annotated[str, Limits(min_length=1, max_length=100)]
MAX_LINES = 100
MAX_LINE_QUANTITY = 10_000
#: Of one product, whether it is delivered at once or wanted by all lines of an order.
Quantity: TypeAlias = Annotated[int, Limits(min_value=1, max_value=MAX_LINES * MAX_LINE_QUANTITY)]
#: By product.
Quantities: TypeAlias = Annotated[dict[str, Quantity], Limits(min_length=1, max_length=MAX_LINES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    product_id: ProductId
    quantity: Annotated[int, Limits(min_value=1, max_value=MAX_LINE_QUANTITY)]
    unit_price: Money

    @property
    def price(self) -> Money:
        return self.unit_price.times(self.quantity)


def quantities(lines: Iterable[OrderLine]) -> dict[str, int]:
    """By product, however many lines ask for it."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.product_id] = totals.get(line.product_id, 0) + line.quantity
    return totals
