"""What happens to orders, stock, payments and shipments.

Each reply to a command lives in the stream of the aggregate that decided it, and names the order
as `order_id`, so that a reader of several streams can tell which order it is about:

| events | stream | because |
|---|---|---|
| Order... | `Order-<order id>` | |
| Inventory... | `Reservation-<order id>` | one decision over several products, all or nothing |
| Stock... | `Stock-<product id>` | how much of one product there is; no reply to anybody |
| Payment... | `Payment-<order id>` | an order is paid for once |
| Shipping... | `Shipment-<order id>` | an order is shipped once |

So the replies to each step of an order stand in one stream, in their order, and an order that
comes back finds what was decided for it before.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from events.messages import DomainEvent
from events.registry import event

from .addresses import Address
from .lines import OrderLine
from .money import Money

# --- orders ---


@event("OrderPlaced")
class OrderPlaced(DomainEvent):
    user_id: UUID
    items: tuple[OrderLine, ...]
    total_amount: Money
    shipping_address: Address
    payment_method: str


@event("OrderCancelled")
class OrderCancelled(DomainEvent):
    reason: str


@event("OrderShipped")
class OrderShipped(DomainEvent):
    """Stored together with ShippingArranged: the order can't be cancelled meanwhile."""

    tracking_number: str


@event("OrderRecalled")
class OrderRecalled(DomainEvent):
    """Stored together with ShippingCancelled: the parcel comes back."""

    tracking_number: str


@event("OrderDelivered")
class OrderDelivered(DomainEvent):
    """The parcel has reached the customer, as far as the carrier tells: it changes nothing."""


@event("OrderCompleted")
class OrderCompleted(DomainEvent):
    completion_date: datetime


@event("OrderProcessingCompleted")
class OrderProcessingCompleted(DomainEvent):
    """Written by the process that saw the order through, not by the order."""

    order_id: UUID
    completed_at: datetime


@event("OrderProcessingFailed")
class OrderProcessingFailed(DomainEvent):
    """As OrderProcessingCompleted, where all that was done has been undone."""

    order_id: UUID
    #: Where it failed.
    step: str
    reason: str


# --- stock ---


@event("StockReceived")
class StockReceived(DomainEvent):
    quantity: int


@event("StockReserved")
class StockReserved(DomainEvent):
    order_id: UUID
    quantity: int


@event("StockReleased")
class StockReleased(DomainEvent):
    order_id: UUID
    quantity: int


@event("InventoryReserved")
class InventoryReserved(DomainEvent):
    order_id: UUID
    #: Quantities by product.
    items: dict[str, int]


@event("InventoryReservationFailed")
class InventoryReservationFailed(DomainEvent):
    order_id: UUID
    #: `out_of_stock`, `released` or `order_cancelled`.
    reason: str
    #: How many are missing, by product; empty for another reason.
    missing: dict[str, int]


@event("InventoryReleased")
class InventoryReleased(DomainEvent):
    """Nothing can be reserved for the order any more."""

    order_id: UUID
    #: What had been reserved; empty where nothing had.
    items: dict[str, int]


# --- payments ---


@event("PaymentProcessed")
class PaymentProcessed(DomainEvent):
    order_id: UUID
    amount: Money
    payment_method: str
    #: What the gateway calls it.
    reference: str


@event("PaymentFailed")
class PaymentFailed(DomainEvent):
    order_id: UUID
    #: The gateway's, such as `card_declined` or `refunded`; or `order_cancelled`.
    reason: str


@event("PaymentRefunded")
class PaymentRefunded(DomainEvent):
    """The order can't be charged any more."""

    order_id: UUID
    #: None where nothing had been charged.
    amount: Money | None


# --- shipments ---


@event("ShippingArranged")
class ShippingArranged(DomainEvent):
    order_id: UUID
    tracking_number: str


@event("ShippingFailed")
class ShippingFailed(DomainEvent):
    order_id: UUID
    #: The carrier's, such as `destination_not_served`; or `order_cancelled`.
    reason: str


@event("ShippingCancelled")
class ShippingCancelled(DomainEvent):
    """The order can't be shipped any more."""

    order_id: UUID
    #: None where nothing had been arranged.
    tracking_number: str | None
