"""What an order of the data set holds, in the words of the shop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from events.exceptions import DecodingError
from events.transfer.rows import Row
from orders.lines import OrderLine
from orders.money import Money

from .tables import UNKNOWN, Customer, Item, Payment, Tables, identity

CURRENCY = "BRL"
_NOTHING = Decimal("0.00")


def customer_of(row: Row, tables: Tables) -> Customer:
    """Raises DecodingError."""
    customer = tables.customers.get(identity(row, "customer_id").bytes)
    if customer is None:
        raise DecodingError("customer_id", f"{row.values['customer_id']} is no customer")
    return customer


def pieces_of(items: Iterable[Item]) -> dict[tuple[bytes, Decimal], int]:
    """How many of which product at which price: the source has a row for each piece."""
    pieces: dict[tuple[bytes, Decimal], int] = {}
    for item in items:
        key = (item.product_id, item.price)
        pieces[key] = pieces.get(key, 0) + 1
    return pieces


def lines_of(items: Iterable[Item]) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(product_id=product_id.hex(), quantity=quantity, unit_price=Money(price, CURRENCY))
        for (product_id, price), quantity in pieces_of(items).items()
    )


def methods_of(payments: Sequence[Payment]) -> str:
    if len(payments) == 1:
        return payments[0].method
    return "+".join(dict.fromkeys(payment.method for payment in payments)) or UNKNOWN


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    """With two decimal places."""
    return sum(amounts, _NOTHING)


def total_of(amounts: Iterable[Decimal]) -> Money:
    return Money(sum_of(amounts), CURRENCY)
