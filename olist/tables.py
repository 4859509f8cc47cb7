"""The files of the data set, and what an order is in them, put together from four of them.

All but the orders are held in memory, in a compact form; the orders pass by one at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from pathlib import Path
from typing import NamedTuple, Self
from uuid import UUID

from events.exceptions import DecodingError
from events.transfer.errors import FileUnreadable
from events.transfer.rows import Refusal, Row, csv_rows
from events.transfer.source import Source, open_source
from orders.addresses import Address

ORDERS = "olist_orders_dataset.csv"
ITEMS = "olist_order_items_dataset.csv"
PAYMENTS = "olist_order_payments_dataset.csv"
CUSTOMERS = "olist_customers_dataset.csv"

ORDER_COLUMNS = (
    "order_id",
    "customer_id",
    "order_status",
    "order_purchase_timestamp",
    "order_approved_at",
    "order_delivered_carrier_date",
    "order_delivered_customer_date",
)

_OF_PAYMENTS = ("payment_sequential", "payment_type", "payment_value")
_OF_CUSTOMERS = (
    "customer_unique_id",
    "customer_zip_code_prefix",
    "customer_city",
    "customer_state",
)


#: Where the source leaves out what the shop needs.
UNKNOWN = "unknown"
COUNTRY = "BR"

_ID_LENGTH = 16
_CENT = Decimal("0.01")
_cents = Context(prec=20, traps=[InvalidOperation, Inexact])


class Item(NamedTuple):
    product_id: bytes
    price: Decimal
    freight: Decimal


class Payment(NamedTuple):
    sequential: int
    method: str
    value: Decimal


class Customer(NamedTuple):
    #: The person, who may have several customer ids.
    unique_id: bytes
    zip_code_prefix: str
    city: str
    state: str

    @property
    def user_id(self) -> UUID:
        return UUID(bytes=self.unique_id)

    @property
    def address(self) -> Address:
        """The source has neither names nor streets."""
        return Address(
            name=self.unique_id.hex(),
            street=UNKNOWN,
            postal_code=self.zip_code_prefix,
            city=self.town,
            country=COUNTRY,
        )

    @property
    def town(self) -> str:
        return f"{self.city}, {self.state}"


@dataclass(frozen=True, slots=True)
class Tables:
    """By id of the order, or of the customer, as bytes."""

    items: dict[bytes, tuple[Item, ...]]
    payments: dict[bytes, tuple[Payment, ...]]
    customers: dict[bytes, Customer]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Raises FileUnreadable for a file that is missing, damaged, or has a row that can't be
        read: an order would be told without a part of it."""
        tables = cls({}, {}, {})
        with _opened(
            directory, ITEMS, ("order_id", "product_id", "price", "freight_value")
        ) as rows:
            for row in rows:
                key = _id_bytes(row, "order_id")
                tables.items[key] = (*tables.items.get(key, ()), _item(row))
        with _opened(directory, PAYMENTS, ("order_id", *_OF_PAYMENTS)) as rows:
            for row in rows:
                key = _id_bytes(row, "order_id")
                tables.payments[key] = (*tables.payments.get(key, ()), _payment(row))
        with _opened(directory, CUSTOMERS, ("customer_id", *_OF_CUSTOMERS)) as rows:
            for row in rows:
                tables.customers[_id_bytes(row, "customer_id")] = _customer(row)
        return tables

    def payments_of(self, order_id: UUID) -> Sequence[Payment]:
        return sorted(self.payments.get(order_id.bytes, ()))


@contextmanager
def open_table(directory: Path, name: str) -> Iterator[Source]:
    """As it is, or compressed. Raises FileUnreadable."""
    path = directory / name
    with open_source(path if path.exists() else directory / f"{name}.gz") as source:
        yield source


def identity(row: Row, column: str) -> UUID:
    """Ids of the data set are 32 hexadecimal digits."""
    try:
        return UUID(hex=row.values[column])
    except ValueError as error:
        raise DecodingError(column, str(error)) from error


@contextmanager
def _opened(directory: Path, name: str, columns: Sequence[str]) -> Iterator[Iterator[Row]]:
    line = 1

    def rows() -> Iterator[Row]:
        nonlocal line
        for row in csv_rows(source, required=columns):
            line = row.line
            if isinstance(row, Refusal):
                raise DecodingError("row", row.reason)
            yield row

    with open_table(directory, name) as source:
        try:
            yield rows()
        except DecodingError as error:
            raise FileUnreadable(f"{name}, line {line}: {error}") from error


def _item(row: Row) -> Item:
    return Item(_id_bytes(row, "product_id"), _amount(row, "price"), _amount(row, "freight_value"))


def _payment(row: Row) -> Payment:
    return Payment(
        _number(row, "payment_sequential"),
        sys.intern(row.values["payment_type"]),
        _amount(row, "payment_value"),
    )


def _customer(row: Row) -> Customer:
    unique_id, *place = _OF_CUSTOMERS
    return Customer(_id_bytes(row, unique_id), *(sys.intern(row.values[name]) for name in place))


def _id_bytes(row: Row, column: str) -> bytes:
    """As `identity`, and much faster."""
    text = row.values[column]
    try:
        value = bytes.fromhex(text)
    except ValueError as error:
        raise DecodingError(column, str(error)) from error
    if len(value) != _ID_LENGTH:
        raise DecodingError(column, f"{text!r} isn't an id of {_ID_LENGTH} bytes")
    return value


def _amount(row: Row, column: str) -> Decimal:
    """With two decimal places, as are the sums of several, then."""
    text = row.values[column]
    try:
        value = _cents.quantize(Decimal(text), _CENT)
    except (InvalidOperation, Inexact):
        raise DecodingError(column, f"{text!r} isn't an amount in cents") from None
    if value.is_nan():
        raise DecodingError(column, f"{text!r} isn't an amount")
    return value


def _number(row: Row, column: str) -> int:
    try:
        return int(row.values[column])
    except ValueError as error:
        raise DecodingError(column, str(error)) from error
