"""The order process as a choreography: each part of the shop reacts to what another has done.

Forward by the success of the step before. Backward through one door, the cancellation of the order,
whoever asks for it: a step that failed, a deadline or the customer. Each undo reacts to it, and
looks at what there is to undo; it reacts to the end of the parcel, too, before which nothing is
paid back.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from events.recorded_event import RecordedEvent
from events.repository import Repository
from sagas.choreography import Choreography, reacts_to

from ..aggregates.order import Order
from ..commands import (
    ArrangeShipping,
    CancelOrder,
    CancelShipping,
    CompleteOrder,
    ProcessPayment,
    RefundPayment,
    ReleaseInventory,
    ReserveInventory,
)
from ..events import (
    InventoryReleased,
    InventoryReservationFailed,
    InventoryReserved,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    PaymentFailed,
    PaymentProcessed,
    PaymentRefunded,
    ShippingArranged,
    ShippingCancelled,
    ShippingFailed,
)
from ..lines import quantities
from .patience import PARCEL_SECONDS, PAYMENT_SECONDS
from .standing import Standing

#: For an answer of the shop's own parts; then the order is given up. About what the attempts of the
#: orchestrated saga take.
_PATIENCE_SECONDS = 600

orders = Repository(Order)


def _order_id(recorded: RecordedEvent) -> UUID:
    """Of events of the order itself, it is the stream's."""
    return cast("UUID", getattr(recorded.event, "order_id", None)) or UUID(recorded.aggregate_id)


def _give_up(order_id: str) -> CancelOrder:
    return CancelOrder(order_id=UUID(order_id), reason="There was no answer in time.")


# --- forward ---


@reacts_to(
    OrderPlaced,
    emits=[InventoryReserved, InventoryReservationFailed],
    within_seconds=_PATIENCE_SECONDS,
    otherwise=_give_up,
)
def reserve_inventory(placed: RecordedEvent) -> ReserveInventory:
    event = cast("OrderPlaced", placed.event)
    return ReserveInventory(order_id=_order_id(placed), items=quantities(event.items))


@reacts_to(
    InventoryReserved,
    emits=[PaymentProcessed, PaymentFailed],
    within_seconds=PAYMENT_SECONDS,
    otherwise=_give_up,
)
def process_payment(reserved: RecordedEvent) -> ProcessPayment:
    order = orders.load(_order_id(reserved))
    assert order.total_amount is not None
    return ProcessPayment(
        order_id=_order_id(reserved),
        amount=order.total_amount,
        payment_method=order.payment_method,
    )


@reacts_to(
    PaymentProcessed,
    emits=[ShippingArranged, ShippingFailed],
    within_seconds=PARCEL_SECONDS,
    otherwise=_give_up,
)
def arrange_shipping(paid: RecordedEvent) -> ArrangeShipping:
    order = orders.load(_order_id(paid))
    assert order.shipping_address is not None
    return ArrangeShipping(order_id=_order_id(paid), shipping_address=order.shipping_address)


@reacts_to(ShippingArranged, emits=[OrderCompleted], within_seconds=_PATIENCE_SECONDS)
def complete_order(arranged: RecordedEvent) -> CompleteOrder | None:
    """There is none to complete where the parcel was on its way to a cancelled order: it comes
    back."""
    order = orders.load(_order_id(arranged))
    return None if order.is_cancelled else CompleteOrder(order_id=_order_id(arranged))


# --- back ---


@reacts_to(
    InventoryReservationFailed,
    PaymentFailed,
    ShippingFailed,
    emits=[OrderCancelled],
    within_seconds=_PATIENCE_SECONDS,
)
def cancel_order(failed: RecordedEvent) -> CancelOrder:
    event = cast("InventoryReservationFailed | PaymentFailed | ShippingFailed", failed.event)
    return CancelOrder(order_id=_order_id(failed), reason=f"{event.event_type}: {event.reason}")


@reacts_to(
    OrderCancelled,
    emits=[ShippingCancelled],
    undoes=[ShippingArranged],
    within_seconds=_PATIENCE_SECONDS,
)
def cancel_shipping(cancelled: RecordedEvent) -> CancelShipping | None:
    order_id = _order_id(cancelled)
    is_needed = Standing.of(order_id).parcel_is_to_be_called_back
    return CancelShipping(order_id=order_id) if is_needed else None


@reacts_to(
    OrderCancelled,
    ShippingCancelled,
    ShippingFailed,
    emits=[PaymentRefunded],
    undoes=[PaymentProcessed],
    within_seconds=_PATIENCE_SECONDS,
)
def refund_payment(cancelled: RecordedEvent) -> RefundPayment | None:
    order_id = _order_id(cancelled)
    is_needed = Standing.of(order_id).payment_is_to_be_refunded
    return RefundPayment(order_id=order_id) if is_needed else None


@reacts_to(
    OrderCancelled,
    ShippingCancelled,
    ShippingFailed,
    emits=[InventoryReleased],
    undoes=[InventoryReserved],
    within_seconds=_PATIENCE_SECONDS,
)
def release_inventory(cancelled: RecordedEvent) -> ReleaseInventory | None:
    order_id = _order_id(cancelled)
    is_needed = Standing.of(order_id).inventory_is_to_be_released
    return ReleaseInventory(order_id=order_id) if is_needed else None


class OrderProcessingSaga(Choreography):
    saga_type = "OrderProcessing"
    key = "order_id"
    starts_on = OrderPlaced
    completed_by = (OrderCompleted,)
    turned_back_by = (OrderCancelled,)
    failures = (InventoryReservationFailed, PaymentFailed, ShippingFailed)

    reserve = reserve_inventory
    pay = process_payment
    ship = arrange_shipping
    complete = complete_order
    cancel = cancel_order
    cancel_shipping = cancel_shipping
    refund = refund_payment
    release = release_inventory
