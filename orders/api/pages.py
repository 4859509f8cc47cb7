"""Orders, some at a time: keyset paging by their id, without a count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from events.explorer.conditions import Condition, combine
from events.explorer.index_range import Cursor, IndexRange
from events.explorer.paging import Page, read_page
from events.limits import Limits

from ..models import OrderState, OrderSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersQuery:
    customer: UUID | None = None
    state: OrderState | None = None
    #: The id of an order, which needn't exist.
    after: UUID | None = None
    limit: Annotated[int, Limits(min_value=1, max_value=1000)] = 100

    def conditions(self) -> list[Condition]:
        """A customer has fewer orders than a state."""
        wanted: dict[str, Any] = {"customer_id": self.customer, "state": self.state}
        return [
            Condition(values={column: value})
            for column, value in wanted.items()
            if value is not None
        ]


def read_orders(query: OrdersQuery) -> Page[OrderSummary]:
    conditions = combine(query.conditions())
    served = conditions.served.values if conditions.served else {}
    return read_page(
        OrderSummary.objects.placed(),
        IndexRange(["-order_id"], served),
        Cursor(key=None if query.after is None else (query.after,)),
        query.limit,
        conditions.further,
    )
