"""What an order of the data set holds, in the words of the shop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from events.exceptions import DecodingError
from events.transfer.rows import Row
from orders.lines import OrderLine
from orders.money import Money

from .tables import Customer, Item, Payment, Tables, identity

CURRENCY = "BRL"
#: Where the source leaves out what the shop needs.
UNKNOWN = "unknown"


def customer_of(row: Row, tables: Tables) -> Customer:
    """Raises DecodingError."""
    customer = tables.customers.get(identity(row, "customer_id").bytes)
    if customer is None:
        raise DecodingError("customer_id", f"{row.values['customer_id']} is no customer")
    return customer


def lines_of(items: Iterable[Item]) -> tuple[OrderLine, ...]:
    """The source has a row for each piece."""
    pieces = Counter((item.product_id, item.price) for item in items)
    return tuple(
        OrderLine(product_id=product_id.hex(), quantity=quantity, unit_price=Money(price, CURRENCY))
        for (product_id, price), quantity in pieces.items()
    )


def methods_of(payments: Sequence[Payment]) -> str:
    return "+".join(dict.fromkeys(payment.method for payment in payments)) or UNKNOWN


def total_of(amounts: Iterable[Decimal]) -> Money:
    return Money(sum(amounts, Decimal(0)), CURRENCY)
