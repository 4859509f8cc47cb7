"""The parcel of one order. It is the carrier's: here is recorded what that answered, in whatever
order the answers come."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from events.aggregates import EventSourcedAggregate

from ..events import ShippingArranged, ShippingCancelled, ShippingFailed
from ..gateways.carriers import Parcel


class Shipment(EventSourcedAggregate):
    aggregate_type = "Shipment"
    # A handful of events: there is nothing to save.
    snapshot_every: ClassVar[int | None] = 0

    #: Type of the event that answered the order, if one has.
    reply: str | None = None
    #: Of the parcel that is under way.
    tracking_number: str | None = None
    #: Of a parcel that was called back.
    cancelled_tracking_number: str | None = None
    is_closed: bool = False

    @property
    def order_id(self) -> UUID:
        return UUID(self.id)

    def record_parcel(self, parcel: Parcel) -> None:
        """Whenever the carrier tells of it: a parcel that is under way is never left out."""
        if parcel.tracking_number not in (self.tracking_number, self.cancelled_tracking_number):
            self.add_event(
                ShippingArranged(order_id=self.order_id, tracking_number=parcel.tracking_number)
            )

    def record_failure(self, reason: str) -> None:
        if self.reply is None:
            self.add_event(ShippingFailed(order_id=self.order_id, reason=reason))

    def record_cancellation(self, parcel: Parcel | None) -> None:
        """`parcel` is what was called back, None where there was none: none will follow."""
        if parcel is not None:
            # Its own answer may have been lost, or may still be on its way here.
            self.record_parcel(parcel)
            if self.tracking_number is not None:
                self._cancel(parcel.tracking_number)
        elif not self.is_closed:
            self._cancel(None)

    def _cancel(self, tracking_number: str | None) -> None:
        self.add_event(ShippingCancelled(order_id=self.order_id, tracking_number=tracking_number))

    def apply_shipping_arranged(self, event: ShippingArranged) -> None:
        self.reply = event.event_type
        self.tracking_number = event.tracking_number

    def apply_shipping_failed(self, event: ShippingFailed) -> None:
        self.reply = event.event_type

    def apply_shipping_cancelled(self, event: ShippingCancelled) -> None:
        self.cancelled_tracking_number = event.tracking_number
        self.tracking_number = None
        self.is_closed = True
