"""What becomes of a part of an order: its state before, and an event, give its state after.

An undo that found nothing to undo leaves a failure as it is.
"""

from __future__ import annotations

from events.messages import DomainEvent

from ..events import (
    InventoryReleased,
    InventoryReservationFailed,
    InventoryReserved,
    PaymentFailed,
    PaymentProcessed,
    PaymentRefunded,
    ShippingArranged,
    ShippingCancelled,
    ShippingFailed,
)
from ..models import PaymentState, ReservationState, ShipmentState


def reservation_after(before: str, event: DomainEvent) -> str:
    match event:
        case InventoryReserved():
            return ReservationState.RESERVED
        case InventoryReservationFailed():
            return ReservationState.FAILED
        case InventoryReleased():
            return (
                ReservationState.RELEASED if event.items else before or ReservationState.PREVENTED
            )
    return before


def payment_after(before: str, event: DomainEvent) -> str:
    match event:
        case PaymentProcessed():
            return PaymentState.PAID
        case PaymentFailed():
            return PaymentState.FAILED
        case PaymentRefunded():
            return PaymentState.REFUNDED if event.amount else before or PaymentState.PREVENTED
    return before


def shipment_after(before: str, event: DomainEvent) -> str:
    match event:
        case ShippingArranged():
            return ShipmentState.ARRANGED
        case ShippingFailed():
            return ShipmentState.FAILED
        case ShippingCancelled():
            is_undone = event.tracking_number is not None
            return ShipmentState.CANCELLED if is_undone else before or ShipmentState.PREVENTED
    return before
