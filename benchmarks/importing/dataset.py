"""Files in the form of the Olist data set: about 1.13 lines and 1.04 payments an order, nearly all
of them delivered, and not in the order of their times."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

FIRST = datetime(2016, 9, 4, 12)  # noqa: DTZ001 - as in the source, local time without a zone
MINUTES = 2 * 365 * 24 * 60
PRODUCTS = 30_000

#: Of a thousand orders, and how many of the four times they have.
STATUSES = (("delivered", 970, 4), ("shipped", 11, 3), ("canceled", 6, 2), ("invoiced", 13, 2))

HEADERS = {
    "olist_orders_dataset.csv": (
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
        "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date"
    ),
    "olist_order_items_dataset.csv": (
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value"
    ),
    "olist_order_payments_dataset.csv": (
        "order_id,payment_sequential,payment_type,payment_installments,payment_value"
    ),
    "olist_customers_dataset.csv": (
        "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state"
    ),
}


def write(directory: Path, orders: int, chance: Random) -> int:
    """How many events they are."""
    directory.mkdir(parents=True, exist_ok=True)
    events = 0
    with ExitStack() as stack:
        writers = []
        for name, header in HEADERS.items():
            file = stack.enter_context((directory / name).open("w", encoding="utf-8", newline=""))
            file.write(f"{header}\n")
            writers.append(csv.writer(file, lineterminator="\n"))
        for _ in range(orders):
            told, *of_files = _order(chance)
            events += told
            for writer, rows in zip(writers, of_files, strict=True):
                writer.writerows(rows)
    return events


def _order(chance: Random) -> Iterator[Any]:
    """The number of its events, then its rows in each of the files."""
    order_id, customer_id = _id(chance), _id(chance)
    [(status, _, times)] = chance.choices(STATUSES, [each[1] for each in STATUSES])
    pieces = 1 if chance.random() < 0.9 else 2
    price, freight = _amount(chance, 200), _amount(chance, 30)
    yield times + (status == "canceled")
    yield [(order_id, customer_id, status, *_times(chance, times), "2018-10-18 00:00:00")]
    product_id = f"{chance.randrange(PRODUCTS):032x}"
    yield [
        (order_id, piece, product_id, f"{7:032x}", "2018-10-06 11:07:15", price, freight)
        for piece in range(1, pieces + 1)
    ]
    yield [(order_id, 1, "credit_card", 1, f"{pieces * (float(price) + float(freight)):.2f}")]
    yield [(customer_id, _id(chance), "01151", "sao paulo", "SP")]


def _times(chance: Random, number: int) -> Sequence[str]:
    moment = FIRST + timedelta(minutes=chance.randrange(MINUTES))
    told = []
    for index in range(4):
        told.append(str(moment) if index < number else "")
        moment += timedelta(minutes=chance.randrange(1, 4 * 24 * 60))
    return told


def _id(chance: Random) -> str:
    return chance.randbytes(16).hex()


def _amount(chance: Random, most: int) -> str:
    return f"{chance.randint(100, 100 * most) / 100:.2f}"
