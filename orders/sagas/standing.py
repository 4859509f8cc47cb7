"""What was begun for an order, and what of it is still to be undone once the order is cancelled.

A step that starts after the cancellation finds the order cancelled, and has no effect. So what was
begun before it, and only that, has to be undone; each question here is whether an earlier answer
allows such a beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from events.repository import Repository

from ..aggregates.order import Order
from ..aggregates.payment import Payment
from ..aggregates.reservation import Reservation
from ..aggregates.shipment import Shipment
from ..events import InventoryReservationFailed, InventoryReserved, PaymentFailed, ShippingFailed

orders = Repository(Order)
reservations = Repository(Reservation)
payments = Repository(Payment)
shipments = Repository(Shipment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    order: Order
    reservation: Reservation
    payment: Payment
    shipment: Shipment

    @classmethod
    def of(cls, order_id: UUID) -> Standing:
        return cls(
            order=orders.load(order_id),
            reservation=reservations.find(order_id) or Reservation(order_id),
            payment=payments.find(order_id) or Payment(order_id),
            shipment=shipments.find(order_id) or Shipment(order_id),
        )

    @property
    def parcel_is_to_be_called_back(self) -> bool:
        """A parcel is asked for when the payment is there."""
        is_answered = self.shipment.reply == ShippingFailed.event_type or self.shipment.is_closed
        return self._is_off and self.payment.charged is not None and not is_answered

    @property
    def payment_is_to_be_refunded(self) -> bool:
        """A payment is asked for when the products are reserved. What is on its way to the
        customer is not paid back."""
        is_answered = self.payment.reply == PaymentFailed.event_type or self.payment.is_closed
        is_begun = self.reservation.reply == InventoryReserved.event_type
        return self._is_off and is_begun and not is_answered and self._no_parcel

    @property
    def inventory_is_to_be_released(self) -> bool:
        is_answered = (
            self.reservation.reply == InventoryReservationFailed.event_type
            or self.reservation.is_released
        )
        return self._is_off and not is_answered and self._no_parcel

    @property
    def _is_off(self) -> bool:
        return self.order.is_cancelled

    @property
    def _no_parcel(self) -> bool:
        return not self.parcel_is_to_be_called_back
