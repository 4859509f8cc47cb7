"""Orders of all kinds, in the words that the simulated gateway and carrier understand, and what
must become of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, cycle, zip_longest
from uuid import UUID

from events.identifiers import new_id
from orders.addresses import Address
from orders.commands import PlaceOrder, ReceiveStock
from orders.lines import OrderLine
from orders.models import OrderState, OrderSummary
from orders.money import Money
from users.models import RegisteredUser

from .tally import Tally

#: Prices in EUR, and how many are delivered: enough for all orders, or none for any.
PRODUCTS = {
    "parchment": ("12.50", 1000),
    "quill": ("1.95", 1000),
    "ink": ("7.05", 1000),
    "lute": ("249.00", 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    state: OrderState
    #: Of a cancelled order: the step of its process that could not be done.
    failed_step: str = ""
    #: Where the order stands for minutes, while its process waits for an answer and asks again.
    meanwhile: OrderState | None = None

    def is_met_by(self, order: OrderSummary) -> bool:
        return order.state == self.meanwhile or (
            (order.state, order.failed_step) == (self.state, self.failed_step)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    name: str
    number: int
    fate: Fate
    products: tuple[str, ...] = ("parchment", "quill")
    payment_method: str = "card"
    city: str = "Reykholt"


COMPLETED = Fate(state=OrderState.COMPLETED)
OUT_OF_STOCK = Fate(state=OrderState.CANCELLED, failed_step="reserve")
NOT_PAID = Fate(state=OrderState.CANCELLED, failed_step="pay")
NOT_SENT = Fate(state=OrderState.CANCELLED, failed_step="ship")

KINDS = (
    Kind(name="good", number=40, fate=COMPLETED),
    Kind(
        name="good, of several products",
        number=12,
        fate=COMPLETED,
        products=("parchment", "quill", "ink"),
    ),
    Kind(name="gateway answers late", number=4, fate=COMPLETED, payment_method="late_answer"),
    Kind(name="gateway fails once", number=4, fate=COMPLETED, payment_method="error_1"),
    Kind(name="carrier answers late", number=4, fate=COMPLETED, city="late_answer"),
    Kind(name="carrier fails once", number=4, fate=COMPLETED, city="error_1"),
    Kind(name="out of stock", number=10, fate=OUT_OF_STOCK, products=("quill", "lute")),
    Kind(name="card declined", number=10, fate=NOT_PAID, payment_method="declined"),
    Kind(name="carrier refuses", number=8, fate=NOT_SENT, city="declined"),
    Kind(
        name="carrier refuses, and the refund fails once",
        number=2,
        fate=NOT_SENT,
        city="declined",
        payment_method="card+refund_error_1",
    ),
    Kind(
        name="gateway never answers",
        number=1,
        fate=Fate(state=OrderState.CANCELLED, failed_step="pay", meanwhile=OrderState.RESERVED),
        payment_method="no_answer",
    ),
    Kind(
        name="carrier never answers",
        number=1,
        fate=Fate(state=OrderState.CANCELLED, failed_step="ship", meanwhile=OrderState.PAID),
        city="no_answer",
    ),
)
NUMBER_OF_ORDERS = sum(kind.number for kind in KINDS)
#: Of each product that an order names.
QUANTITY = 2


def place_orders(tally: Tally, progress: Callable[[], None]) -> dict[UUID, Kind]:
    """Fills the shelves and places the orders, their kinds mixed, for people who are registered.
    Calls `progress` once for each order. Returns the kinds by order id."""
    for product_id, (_, delivered) in PRODUCTS.items():
        if delivered:
            tally.dispatch(ReceiveStock(product_id=product_id, quantity=delivered))
    customers = cycle(RegisteredUser.objects.filter(is_active=True).values_list("pk", "name")[:50])
    placed: dict[UUID, Kind] = {}
    for kind, (user_id, name) in zip(_mixed(), customers, strict=False):
        order = _order(kind, user_id, name)
        if tally.dispatch(order) is not None:
            placed[order.order_id] = kind
        progress()
    return placed


def differences(placed: Mapping[UUID, Kind]) -> list[str]:
    """Where orders stand otherwise than their kind demands; empty when all is well."""
    orders = OrderSummary.objects.in_bulk(placed)
    wrong = {
        order_id: kind
        for order_id, kind in placed.items()
        if order_id not in orders or not kind.fate.is_met_by(orders[order_id])
    }
    return [f"{kind}: {number} {standing}" for (kind, standing), number in outcomes(wrong).items()]


def outcomes(placed: Mapping[UUID, Kind]) -> Counter[tuple[str, str]]:
    """How many orders of which kind stand where."""
    orders = OrderSummary.objects.in_bulk(placed)
    return Counter(
        (kind.name, _standing(orders.get(order_id))) for order_id, kind in placed.items()
    )


def _mixed() -> list[Kind]:
    columns = ([kind] * kind.number for kind in KINDS)
    return [kind for kind in chain.from_iterable(zip_longest(*columns)) if kind is not None]


def _order(kind: Kind, user_id: UUID, name: str) -> PlaceOrder:
    return PlaceOrder(
        order_id=new_id(),
        user_id=user_id,
        items=tuple(
            OrderLine(
                product_id=product_id,
                quantity=QUANTITY,
                unit_price=Money(Decimal(PRODUCTS[product_id][0]), "EUR"),
            )
            for product_id in kind.products
        ),
        shipping_address=Address(name=name, street="Snorralaug 1", city=kind.city, country="IS"),
        payment_method=kind.payment_method,
    )


def _standing(order: OrderSummary | None) -> str:
    if order is None:
        return "not seen yet"
    return f"{order.state}, failed at {order.failed_step}" if order.failed_step else order.state
