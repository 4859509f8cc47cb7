"""What was charged for one order, and paid back. The money itself is the gateway's: here is
recorded what it answered, in whatever order the answers come."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from events.aggregates import EventSourcedAggregate

from ..events import PaymentFailed, PaymentProcessed, PaymentRefunded
from ..gateways.payments import Charge
from ..money import Money


class Payment(EventSourcedAggregate):
    aggregate_type = "Payment"
    # A handful of events: there is nothing to save.
    snapshot_every: ClassVar[int | None] = 0

    #: Type of the event that answered the order, if one has.
    reply: str | None = None
    charged: Money | None = None
    refunded: Money | None = None
    is_closed: bool = False

    @property
    def order_id(self) -> UUID:
        return UUID(self.id)

    def record_charge(self, charge: Charge) -> None:
        """Whenever the gateway tells of it: money that was taken is never left out."""
        if self.charged is None:
            self.add_event(
                PaymentProcessed(
                    order_id=self.order_id,
                    amount=charge.amount,
                    payment_method=charge.payment_method,
                    reference=charge.reference,
                )
            )

    def record_failure(self, reason: str) -> None:
        if self.reply is None:
            self.add_event(PaymentFailed(order_id=self.order_id, reason=reason))

    def record_refund(self, charge: Charge | None) -> None:
        """`charge` is what was undone, None where there was nothing: no charge will follow."""
        if charge is not None:
            # Its own answer may have been lost, or may still be on its way here.
            self.record_charge(charge)
            if self.refunded is None:
                self.add_event(PaymentRefunded(order_id=self.order_id, amount=charge.amount))
        elif not self.is_closed:
            self.add_event(PaymentRefunded(order_id=self.order_id, amount=None))

    def apply_payment_processed(self, event: PaymentProcessed) -> None:
        self.reply = event.event_type
        self.charged = event.amount

    def apply_payment_failed(self, event: PaymentFailed) -> None:
        self.reply = event.event_type

    def apply_payment_refunded(self, event: PaymentRefunded) -> None:
        self.refunded = event.amount
        self.is_closed = True
