"""An order of the data set as the command that places it, and what the world does about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from events.exceptions import DecodingError, InvalidInput
from events.transfer.rows import Refusal, Row, Rows
from orders.commands import PlaceOrder

from .contents import customer_of, lines_of, methods_of, sum_of, total_of
from .fates import Fate, fate_of
from .tables import Tables, identity


@dataclass(frozen=True, slots=True, kw_only=True)
class OlistOrder:
    row: Row
    #: Of its purchase, `2017-11`.
    month: str
    fate: Fate
    #: What its payments sum up to.
    charged: Decimal
    command: PlaceOrder

    @property
    def order_id(self) -> UUID:
        return self.command.order_id


def orders_of(rows: Rows, tables: Tables, month: str | None) -> Iterator[OlistOrder | Refusal]:
    """All, or those of a month. Rows without one are refused in any case."""
    for row in rows:
        if isinstance(row, Refusal):
            yield row
            continue
        try:
            month_of_row = _month(row)
            if month is None or month == month_of_row:
                yield _order(row, month_of_row, tables)
        except InvalidInput as error:
            yield Refusal(row.line, str(error), row.values)


def _order(row: Row, month: str, tables: Tables) -> OlistOrder:
    order_id = identity(row, "order_id")
    items = tables.items.get(order_id.bytes, ())
    if not items:
        raise DecodingError("items", "the order has no lines")
    customer = customer_of(row, tables)
    payments = tables.payments_of(order_id)
    return OlistOrder(
        row=row,
        month=month,
        fate=fate_of(row.values["order_status"], is_approved=bool(row.values["order_approved_at"])),
        charged=sum_of(payment.value for payment in payments),
        command=PlaceOrder(
            order_id=order_id,
            user_id=customer.user_id,
            items=lines_of(items),
            freight=total_of(item.freight for item in items),
            shipping_address=customer.address,
            payment_method=methods_of(payments),
        ),
    )


def _month(row: Row) -> str:
    text = row.values["order_purchase_timestamp"]
    try:
        return f"{datetime.fromisoformat(text):%Y-%m}"
    except ValueError as error:
        raise DecodingError("order_purchase_timestamp", str(error)) from error
