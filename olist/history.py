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

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from events.exceptions import DecodingError, InvalidInput
from events.messages import DomainEvent
from events.store.history import PastEvent
from events.streams import StreamName
from events.transfer.importing import Candidate
from events.transfer.rows import Refusal, Row, Rows
from orders.aggregates.order import Order
from orders.aggregates.payment import Payment
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

from .contents import customer_of, lines_of, methods_of, total_of
from .tables import Tables, identity

ZONE = ZoneInfo("America/Sao_Paulo")
_CATEGORIES: dict[type[DomainEvent], str] = {
    OrderPlaced: Order.aggregate_type,
    PaymentProcessed: Payment.aggregate_type,
    ShippingArranged: Shipment.aggregate_type,
    OrderDelivered: Order.aggregate_type,
    OrderCancelled: Order.aggregate_type,
    InventoryReservationFailed: Reservation.aggregate_type,
}
_EVENT_IDS = UUID("c34db4a5-3c4e-5b0c-8a48-5d1b1fd3a3a7")


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
    later = sorted(_later(row, order_id, tables), key=lambda event: event.occurred_on)
    last = max([placed, *(event.occurred_on for event in later)])
    told = [_placed(row, order_id, placed, tables), *later, *_ended(row, order_id, last)]
    return [PastEvent.of(StreamName(_CATEGORIES[type(event)], order_id), event) for event in told]


def _later(row: Row, order_id: UUID, tables: Tables) -> Iterator[DomainEvent]:
    if moment := _moment(row, "order_approved_at"):
        payments = tables.payments_of(order_id)
        yield PaymentProcessed(
            **_envelope(order_id, PaymentProcessed, moment),
            order_id=order_id,
            amount=total_of(payment.value for payment in payments),
            payment_method=methods_of(payments),
            reference=order_id.hex,
        )
    if moment := _moment(row, "order_delivered_carrier_date"):
        yield ShippingArranged(
            **_envelope(order_id, ShippingArranged, moment),
            order_id=order_id,
            tracking_number=order_id.hex,
        )
    if moment := _moment(row, "order_delivered_customer_date"):
        yield OrderDelivered(**_envelope(order_id, OrderDelivered, moment))


def _ended(row: Row, order_id: UUID, last: datetime) -> Iterator[DomainEvent]:
    status = row.values["order_status"]
    if status == "canceled":
        envelope = _envelope(order_id, OrderCancelled, last, time_is_inferred=True)
        yield OrderCancelled(**envelope, reason=status)
    elif status == "unavailable":
        envelope = _envelope(order_id, InventoryReservationFailed, last, time_is_inferred=True)
        yield InventoryReservationFailed(**envelope, order_id=order_id, reason=status, missing={})


def _envelope(
    order_id: UUID, kind: type[DomainEvent], moment: datetime, **metadata: Any
) -> dict[str, Any]:
    return {
        "event_id": uuid5(_EVENT_IDS, f"{order_id} {kind.event_type}"),
        "occurred_on": moment,
        "metadata": {"correlation_id": str(order_id), **metadata},
    }


def _placed(row: Row, order_id: UUID, moment: datetime, tables: Tables) -> OrderPlaced:
    customer = customer_of(row, tables)
    items = tables.items.get(order_id.bytes, ())
    return OrderPlaced(
        **_envelope(order_id, OrderPlaced, moment),
        user_id=customer.user_id,
        items=lines_of(items),
        total_amount=total_of(item.price + item.freight for item in items),
        shipping_address=customer.address,
        payment_method=methods_of(tables.payments_of(order_id)),
    )


def _moment(row: Row, column: str) -> datetime | None:
    """Local time without a zone. In the hour that summer time doubles, the first is taken."""
    text = row.values[column]
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)
    except ValueError as error:
        raise DecodingError(column, str(error)) from error
