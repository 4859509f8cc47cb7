"""A few orders in the form of the data set, made up, with the dirt that is found in it."""

from __future__ import annotations

import gzip
from pathlib import Path
from uuid import UUID

ORDERS = "olist_orders_dataset.csv"
ITEMS = "olist_order_items_dataset.csv"
PAYMENTS = "olist_order_payments_dataset.csv"
CUSTOMERS = "olist_customers_dataset.csv"


def hexadecimal(number: int) -> str:
    return UUID(int=number).hex


def order(number, status="delivered", purchase="", approved="", carrier="", delivered=""):
    columns = (
        f'"{hexadecimal(number)}"',
        hexadecimal(1000 + number),
        status,
        purchase or "2017-10-02 10:56:33",
        approved,
        carrier,
        delivered,
        "2017-10-18 00:00:00",
    )
    return ",".join(columns)


def item(number, piece, product, price, freight):
    ids = f'"{hexadecimal(number)}",{piece},{hexadecimal(product)},{hexadecimal(77)}'
    return f"{ids},2017-10-06 11:07:15,{price},{freight}"


def payment(number, sequential, kind, value):
    return f"{hexadecimal(number)},{sequential},{kind},1,{value}"


def customer(number, person=None):
    return (
        f'{hexadecimal(1000 + number)},{hexadecimal(person or 2000 + number)},"01151",são paulo,SP'
    )


HEADERS = {
    ORDERS: '"order_id","customer_id","order_status","order_purchase_timestamp",'
    '"order_approved_at","order_delivered_carrier_date","order_delivered_customer_date",'
    '"order_estimated_delivery_date"',
    ITEMS: "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
    PAYMENTS: "order_id,payment_sequential,payment_type,payment_installments,payment_value",
    CUSTOMERS: "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,"
    "customer_state",
}
DELIVERED, SUMMER_TIME, CANCELED, UNAVAILABLE, CREATED, ODD = range(1, 7)
ROWS = {
    ORDERS: [
        order(
            DELIVERED,
            approved="2017-10-02 11:07:15",
            carrier="2017-10-04 19:55:00",
            delivered="2017-10-10 21:25:13",
        ),
        # Summer time ended at midnight: this hour came twice.
        order(SUMMER_TIME, "shipped", purchase="2018-02-17 23:30:00",
              approved="2018-02-17 23:30:00", carrier="2018-02-18 00:10:00"),
        order(CANCELED, "canceled", purchase="2018-01-01 10:00:00",
              approved="2018-01-01 10:05:00"),
        order(UNAVAILABLE, "unavailable", purchase="2018-01-02 10:00:00",
              approved="2018-01-02 10:00:00"),
        order(CREATED, "created", purchase="2017-01-05 10:00:00"),
        # At the carrier before it was approved, delivered before that; and then called off.
        order(ODD, "canceled", purchase="2018-03-05 10:00:00", approved="2018-03-09 10:00:00",
              carrier="2018-03-07 10:00:00", delivered="2018-03-06 10:00:00"),
    ],
    ITEMS: [
        item(DELIVERED, 1, 501, "0.10", "0.20"),
        item(DELIVERED, 2, 501, "0.10", "0.20"),
        item(DELIVERED, 3, 502, "1000.00", "13.29"),
        item(SUMMER_TIME, 1, 501, "10.00", "0.00"),
        item(CANCELED, 1, 501, "10.00", "1.00"),
        item(ODD, 1, 501, "10.00", "1.00"),
    ],
    PAYMENTS: [
        payment(DELIVERED, 2, "voucher", "0.00"),
        payment(CANCELED, 1, "boleto", "11.00"),
        payment(DELIVERED, 1, "credit_card", "1013.88"),
        payment(DELIVERED, 3, "voucher", "0.01"),
        payment(UNAVAILABLE, 1, "debit_card", "5.00"),
        payment(ODD, 1, "credit_card", "11.00"),
    ],
    CUSTOMERS: [customer(number) for number in (3, 1, 2, 5, 6)] + [customer(4, person=2001)],
}  # fmt: skip
#: Of each order.
EVENTS = {DELIVERED: 4, SUMMER_TIME: 3, CANCELED: 3, UNAVAILABLE: 3, CREATED: 1, ODD: 5}


def write_sample(directory: Path, *, is_packed: bool = False, **changed: list[str]) -> Path:
    """`changed` gives other rows, by the name of the file without `.csv`."""
    for name, header in HEADERS.items():
        rows = changed.get(name.removesuffix(".csv"), ROWS[name])
        data = "".join(f"{row}\n" for row in (header, *rows)).encode()
        if is_packed:
            (directory / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (directory / name).write_bytes(data)
    return directory
