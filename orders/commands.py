"""What may be asked of the shop.

Those that a process sends for an order are idempotent by it: sent again, whatever their command
id, they change nothing, and the reply to the first stands. An undo may come before what it undoes,
which is refused then.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated
from uuid import UUID

from events.identifiers import new_id
from events.limits import Limits
from events.messages import Command
from events.registry import command

from .addresses import Address
from .lines import MAX_LINES, OrderLine, ProductId, Quantities, Quantity
from .money import Money
from .payment_methods import PaymentMethod

# --- orders ---


@command("PlaceOrder", permission="orders.place_order")
class PlaceOrder(Command):
    """Orders products at the given prices, all in one currency. The total is that of the items and
    of the freight, if there is any."""

    user_id: UUID
    items: Annotated[tuple[OrderLine, ...], Limits(min_length=1, max_length=MAX_LINES)]
    shipping_address: Address
    payment_method: PaymentMethod
    order_id: UUID = field(default_factory=new_id)
    freight: Money | None = None


@command("CancelOrder", permission="orders.cancel_order")
class CancelOrder(Command):
    """Gives up an order that isn't completed and of which no parcel is under way."""

    order_id: UUID
    reason: Annotated[str, Limits(min_length=1, max_length=500)]


@command("CompleteOrder", permission="orders.complete_order")
class CompleteOrder(Command):
    """Closes an order that was seen through."""

    order_id: UUID


# --- stock ---


@command("ReceiveStock", permission="orders.receive_stock")
class ReceiveStock(Command):
    """Adds what was delivered of a product."""

    product_id: ProductId
    quantity: Quantity


@command("ReserveInventory", permission="orders.reserve_inventory")
class ReserveInventory(Command):
    """Sets products aside for an order, all or none. InventoryReserved or
    InventoryReservationFailed follows."""

    order_id: UUID
    items: Quantities


@command("ReleaseInventory", permission="orders.release_inventory")
class ReleaseInventory(Command):
    """Puts back what was reserved for an order. InventoryReleased follows."""

    order_id: UUID


# --- payments ---


@command("ProcessPayment", permission="orders.process_payment")
class ProcessPayment(Command):
    """Charges for an order. PaymentProcessed or PaymentFailed follows."""

    order_id: UUID
    amount: Money
    payment_method: PaymentMethod


@command("RefundPayment", permission="orders.refund_payment")
class RefundPayment(Command):
    """Pays back what was charged for an order. PaymentRefunded follows."""

    order_id: UUID


# --- shipments ---


@command("ArrangeShipping", permission="orders.arrange_shipping")
class ArrangeShipping(Command):
    """Has an order sent. ShippingArranged or ShippingFailed follows."""

    order_id: UUID
    shipping_address: Address


@command("CancelShipping", permission="orders.cancel_shipping")
class CancelShipping(Command):
    """Calls back the parcel of an order. ShippingCancelled follows."""

    order_id: UUID
