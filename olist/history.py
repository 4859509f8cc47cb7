"""An order of the data set as what happened to it, in events of the shop with the source's times.

| column | event | stream |
|---|---|---|
| `order_purchase_timestamp` | OrderPlaced | `Order-<id>` |
| `order_approved_at` | PaymentProcessed | `Payment-<id>` |
| `order_delivered_carrier_date` | ShippingArranged | `Shipment-<id>` |
| `order_delivered_customer_date` | OrderDelivered | `Order-<id>` |
| `order_status` canceled | OrderCancelled | `Order-<id>` |
| `order_status` unavailable | InventoryReservationFailed | `Reservation-<id>` |

Nothing is refused that can be read: a history is a fact, however odd. The last two have no time of
their own in the source; they get the last one that the order has, and say so in their metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha1
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from events.codec import JsonObject
from events.exceptions import DecodingError, InvalidInput
from events.messages import DomainEvent
from events.store.history import PastEvent
from events.streams import StreamName
from events.transfer.importing import Candidate
from events.transfer.rows import Refusal, Row, Rows
from orders.aggregates.order import Order
from orders.aggregates.payment import Payment as PaymentAggregate
from orders.aggregates.reservation import Reservation
from orders.aggregates.shipment import Shipment
from orders.events import (
    InventoryReservationFailed,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    PaymentProcessed,
    ShippingArranged,
)

from .contents import CURRENCY, customer_of, methods_of, pieces_of, sum_of
from .tables import COUNTRY, UNKNOWN, Payment, Tables, identity

ZONE = ZoneInfo("America/Sao_Paulo")
_CATEGORIES: dict[type[DomainEvent], str] = {
    OrderPlaced: Order.aggregate_type,
    PaymentProcessed: PaymentAggregate.aggregate_type,
    ShippingArranged: Shipment.aggregate_type,
    OrderDelivered: Order.aggregate_type,
    OrderCancelled: Order.aggregate_type,
    InventoryReservationFailed: Reservation.aggregate_type,
}
_Told: TypeAlias = tuple[type[DomainEvent], datetime, JsonObject]
_EVENT_IDS = UUID("c34db4a5-3c4e-5b0c-8a48-5d1b1fd3a3a7").bytes


def candidates(rows: Rows, tables: Tables) -> Iterator[Candidate | Refusal]:
    """Of the rows of the orders."""
    for row in rows:
        if isinstance(row, Refusal):
            yield row
            continue
        try:
            yield Candidate(row.line, row.values, events_of(row, tables))
        except InvalidInput as error:
            yield Refusal(row.line, str(error), row.values)


def events_of(row: Row, tables: Tables) -> list[PastEvent]:
    """In the order of their times, but that an order is placed first and cancelled last. Raises
    InvalidInput naming the column."""
    order_id = identity(row, "order_id")
    placed = _moment(row, "order_purchase_timestamp")
    if placed is None:
        raise DecodingError("order_purchase_timestamp", "is empty")
    payments = tables.payments_of(order_id)
    later = sorted(_later(row, order_id, payments), key=_time)
    last = max([placed, *map(_time, later)])
    text = str(order_id)
    return [
        _told(text, OrderPlaced, placed, _placed(row, order_id, payments, tables)),
        *(_told(text, kind, moment, data) for kind, moment, data in later),
        *(_told(text, kind, last, data, True) for kind, data in _ended(row, text)),
    ]


def _time(told: _Told) -> datetime:
    return told[1]


def _told(
    order_id: str,
    kind: type[DomainEvent],
    moment: datetime,
    data: JsonObject,
    time_is_inferred: bool = False,
) -> PastEvent:
    metadata = {"correlation_id": order_id}
    return PastEvent(
        stream=StreamName(_CATEGORIES[kind], order_id),
        event_id=_event_id(f"{order_id} {kind.event_type}"),
        event_type=kind.event_type,
        event_version=kind.event_version,
        data=data,
        occurred_on=moment,
        metadata=metadata | {"time_is_inferred": True} if time_is_inferred else metadata,
    )


def _event_id(name: str) -> UUID:
    """`uuid5` in a namespace of ours."""
    digest = sha1(_EVENT_IDS + name.encode(), usedforsecurity=False).digest()
    return UUID(bytes=digest[:16], version=5)


# --- the data of each event, in the form that its class has: made by hand, much faster ---


def _placed(row: Row, order_id: UUID, payments: Sequence[Payment], tables: Tables) -> JsonObject:
    customer = customer_of(row, tables)
    items = tables.items.get(order_id.bytes, ())
    return {
        "user_id": str(customer.user_id),
        "items": [
            {"product_id": product_id.hex(), "quantity": quantity, "unit_price": _money(price)}
            for (product_id, price), quantity in pieces_of(items).items()
        ],
        "total_amount": _money(sum_of(item.price + item.freight for item in items)),
        "shipping_address": {
            "name": customer.unique_id.hex(),
            "street": UNKNOWN,
            "postal_code": customer.zip_code_prefix,
            "city": customer.town,
            "country": COUNTRY,
        },
        "payment_method": methods_of(payments),
    }


def _later(row: Row, order_id: UUID, payments: Sequence[Payment]) -> Iterator[_Told]:
    text, reference = str(order_id), order_id.hex
    if moment := _moment(row, "order_approved_at"):
        paid = {
            "order_id": text,
            "amount": _money(sum_of(payment.value for payment in payments)),
            "payment_method": methods_of(payments),
            "reference": reference,
        }
        yield PaymentProcessed, moment, paid
    if moment := _moment(row, "order_delivered_carrier_date"):
        yield ShippingArranged, moment, {"order_id": text, "tracking_number": reference}
    if moment := _moment(row, "order_delivered_customer_date"):
        yield OrderDelivered, moment, {}


def _ended(row: Row, order_id: str) -> Iterator[tuple[type[DomainEvent], JsonObject]]:
    status = row.values["order_status"]
    if status == "canceled":
        yield OrderCancelled, {"reason": status}
    elif status == "unavailable":
        yield InventoryReservationFailed, {"order_id": order_id, "reason": status, "missing": {}}


def _money(amount: Decimal) -> JsonObject:
    return {"amount": str(amount), "currency": CURRENCY}


def _moment(row: Row, column: str) -> datetime | None:
    """Local time without a zone. In the hour that summer time doubles, the first is taken."""
    text = row.values[column]
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)
    except ValueError as error:
        raise DecodingError(column, str(error)) from error
