"""The files of the data set, and what an order is in them, put together from four of them.

All but the orders are held in memory, in a compact form; the orders pass by one at a time.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, Self, TypeVar
from uuid import UUID

from events.exceptions import DecodingError
from events.transfer.errors import FileUnreadable
from events.transfer.rows import Row
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

# The id that a row is found by comes first.
_OF_ITEMS = ("order_id", "product_id", "price", "freight_value")
_OF_PAYMENTS = ("order_id", "payment_sequential", "payment_type", "payment_value")
_OF_CUSTOMERS = (
    "customer_id",
    "customer_unique_id",
    "customer_zip_code_prefix",
    "customer_city",
    "customer_state",
)

#: Where the source leaves out what the shop needs.
UNKNOWN = "unknown"
COUNTRY = "BR"

ValueT = TypeVar("ValueT")

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
        for key, item in _parsed(directory, ITEMS, _OF_ITEMS, _item):
            tables.items[key] = (*tables.items.get(key, ()), item)
        for key, payment in _parsed(directory, PAYMENTS, _OF_PAYMENTS, _payment):
            tables.payments[key] = (*tables.payments.get(key, ()), payment)
        for key, customer in _parsed(directory, CUSTOMERS, _OF_CUSTOMERS, _customer):
            tables.customers[key] = customer
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


def _parsed(
    directory: Path, name: str, columns: Sequence[str], parse: Callable[..., ValueT]
) -> Iterator[tuple[bytes, ValueT]]:
    """By the id in the first of the columns. Raises FileUnreadable with the line. Without the
    dictionaries of `csv_rows`: there are three rows for each order."""
    with open_table(directory, name) as source:
        reader = csv.reader(source, strict=True)
        try:
            chosen, width = _chosen(next(reader, []), columns)
            for fields in reader:
                _check_width(fields, width)
                key, *values = chosen(fields)
                yield _id_bytes(key, columns[0]), parse(*values)
        except (DecodingError, csv.Error) as error:
            raise FileUnreadable(f"{name}, line {source.line_number}: {error}") from error


def _chosen(
    header: Sequence[str], columns: Sequence[str]
) -> tuple[Callable[[Sequence[str]], tuple[str, ...]], int]:
    if missing := sorted(set(columns) - set(header)):
        raise DecodingError("header", f"has no column {', '.join(missing)}")
    return itemgetter(*map(header.index, columns)), len(header)


def _check_width(fields: Sequence[str], width: int) -> None:
    if len(fields) != width:
        raise DecodingError("row", f"has {len(fields)} values, the header names {width} columns")


def _item(product_id: str, price: str, freight: str) -> Item:
    return Item(
        _id_bytes(product_id, "product_id"),
        _amount(price, "price"),
        _amount(freight, "freight_value"),
    )


def _payment(sequential: str, kind: str, value: str) -> Payment:
    return Payment(
        _number(sequential, "payment_sequential"),
        sys.intern(kind),
        _amount(value, "payment_value"),
    )


def _customer(unique_id: str, *place: str) -> Customer:
    return Customer(_id_bytes(unique_id, "customer_unique_id"), *map(sys.intern, place))


def _id_bytes(text: str, column: str) -> bytes:
    """As `identity`, and much faster."""
    try:
        value = bytes.fromhex(text)
    except ValueError as error:
        raise DecodingError(column, str(error)) from error
    if len(value) != _ID_LENGTH:
        raise DecodingError(column, f"{text!r} isn't an id of {_ID_LENGTH} bytes")
    return value


def _amount(text: str, column: str) -> Decimal:
    """With two decimal places, as are the sums of several, then."""
    try:
        value = _cents.quantize(Decimal(text), _CENT)
    except (InvalidOperation, Inexact):
        raise DecodingError(column, f"{text!r} isn't an amount in cents") from None
    if value.is_nan():
        raise DecodingError(column, f"{text!r} isn't an amount")
    return value


def _number(text: str, column: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise DecodingError(column, str(error)) from error
