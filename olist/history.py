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

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from events.exceptions import DecodingError, InvalidInput
from events.messages import DomainEvent
from events.store.history import PastEvent
from events.streams import StreamName
from events.transfer.importing import Candidate
from events.transfer.rows import Refusal, Row, Rows
from orders.addresses import Address
from orders.events import (
    InventoryReservationFailed,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    PaymentProcessed,
    ShippingArranged,
)
from orders.lines import OrderLine
from orders.money import Money

from .tables import Item, Tables, identity

ZONE = ZoneInfo("America/Sao_Paulo")
CURRENCY = "BRL"
#: Where the source leaves out what an event needs.
UNKNOWN = "unknown"
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
    later = sorted(_later(row, order_id, tables), key=lambda event: event[1])
    last = max([placed, *(moment for _, moment, _ in later)])
    told = [("Order", placed, _placed(row, order_id, tables)), *later]
    if row.values["order_status"] == "canceled":
        told.append(("Order", last, OrderCancelled(reason="canceled")))
    elif row.values["order_status"] == "unavailable":
        failed = InventoryReservationFailed(order_id=order_id, reason="unavailable", missing={})
        told.append(("Reservation", last, failed))
    return [_past(order_id, *each) for each in told]


def _later(row: Row, order_id: UUID, tables: Tables) -> Iterator[tuple[str, datetime, DomainEvent]]:
    if moment := _moment(row, "order_approved_at"):
        yield "Payment", moment, _paid(order_id, tables)
    if moment := _moment(row, "order_delivered_carrier_date"):
        arranged = ShippingArranged(order_id=order_id, tracking_number=row.values["order_id"])
        yield "Shipment", moment, arranged
    if moment := _moment(row, "order_delivered_customer_date"):
        yield "Order", moment, OrderDelivered()


def _past(order_id: UUID, category: str, moment: datetime, event: DomainEvent) -> PastEvent:
    is_inferred = isinstance(event, OrderCancelled | InventoryReservationFailed)
    past = PastEvent.of(StreamName(category, order_id), event)
    return PastEvent(
        stream=past.stream,
        event_id=uuid5(_EVENT_IDS, f"{order_id} {event.event_type}"),
        event_type=past.event_type,
        event_version=past.event_version,
        data=past.data,
        occurred_on=moment,
        metadata={
            "correlation_id": str(order_id),
            **({"time_is_inferred": True} if is_inferred else {}),
        },
    )


def _placed(row: Row, order_id: UUID, tables: Tables) -> OrderPlaced:
    customer = tables.customers.get(identity(row, "customer_id").bytes)
    if customer is None:
        raise DecodingError("customer_id", f"{row.values['customer_id']} is no customer")
    items = tables.items.get(order_id.bytes, ())
    person = UUID(bytes=customer.unique_id)
    methods = dict.fromkeys(payment.method for payment in tables.payments_of(order_id))
    return OrderPlaced(
        user_id=person,
        items=_lines(items),
        total_amount=_total(item.price + item.freight for item in items),
        shipping_address=Address(
            name=person.hex,
            street=UNKNOWN,
            postal_code=customer.zip_code_prefix,
            city=f"{customer.city}, {customer.state}",
            country="BR",
        ),
        payment_method="+".join(methods) or UNKNOWN,
    )


def _lines(items: tuple[Item, ...]) -> tuple[OrderLine, ...]:
    """The source has a row for each piece."""
    pieces = Counter((item.product_id, item.price) for item in items)
    return tuple(
        OrderLine(product_id=product_id.hex(), quantity=quantity, unit_price=Money(price, CURRENCY))
        for (product_id, price), quantity in pieces.items()
    )


def _paid(order_id: UUID, tables: Tables) -> PaymentProcessed:
    payments = tables.payments_of(order_id)
    return PaymentProcessed(
        order_id=order_id,
        amount=_total(payment.value for payment in payments),
        payment_method="+".join(dict.fromkeys(payment.method for payment in payments)) or UNKNOWN,
        reference=order_id.hex,
    )


def _total(amounts: Iterable[Decimal]) -> Money:
    return Money(sum(amounts, Decimal(0)), CURRENCY)


def _moment(row: Row, column: str) -> datetime | None:
    """Local time without a zone. In the hour that summer time doubles, the first is taken."""
    text = row.values[column]
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE)
    except ValueError as error:
        raise DecodingError(column, str(error)) from error
