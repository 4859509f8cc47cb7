"""Orders of each kind, made up, in the form of the data set: to be placed again."""

from __future__ import annotations

from tests.olist.sample import ORDERS, customer, item, order, payment, write_sample

#: Status, whether it was approved, and how many there are.
KINDS = [
    ("delivered", True, 5),
    ("shipped", False, 1),
    ("unavailable", True, 2),
    ("canceled", False, 2),
    ("canceled", True, 2),
    ("invoiced", True, 1),
    ("processing", True, 1),
    ("approved", True, 1),
    ("created", False, 1),
]
FIRST_MONTH, SECOND_MONTH = "2017-11", "2017-12"
#: Has no lines.
EMPTY = 99
NUMBER = sum(number for *_, number in KINDS)


def write_orders(directory, *, times=1):
    """So many times each kind, in two months. All want the same product, and each another one."""
    kinds = [kind for *kind, number in KINDS for _ in range(number * times)]
    orders, items, payments = [order(EMPTY, "unavailable")], [], []
    for number, (status, is_approved) in enumerate(kinds, 100):
        month = SECOND_MONTH if number % 2 else FIRST_MONTH
        approved = f"{month}-11 10:00:00" if is_approved else ""
        orders.append(order(number, status, f"{month}-10 10:00:00", approved))
        items.append(item(number, 1, 501, "10.10", "2.05"))
        items.append(item(number, 2, 501, "10.10", "2.05"))
        items.append(item(number, 3, 1000 + number, "0.33", "0.00"))
        # A cent less than it costs.
        payments.append(payment(number, 2, "voucher", "0.00"))
        payments.append(payment(number, 1, "credit_card", "24.62"))
    everybody = [customer(number) for number in (EMPTY, *range(100, 100 + len(kinds)))]
    return write_sample(
        directory,
        **{ORDERS.removesuffix(".csv"): orders},
        olist_order_items_dataset=items,
        olist_order_payments_dataset=payments,
        olist_customers_dataset=everybody,
    )
