"""Shipments, as their events tell of them."""

from __future__ import annotations

from events.projections import projects
from events.recorded_event import RecordedEvent

from ..events import ShippingArranged, ShippingCancelled, ShippingFailed
from ..models import ShipmentSummary
from .folding import FoldedRows
from .parts import shipment_after


@projects(
    ShippingArranged,
    ShippingFailed,
    ShippingCancelled,
    name="orders.shipments",
    models=[ShipmentSummary],
    in_batches=True,
    batch_size=500,
)
class Shipments(FoldedRows):
    model = ShipmentSummary

    def fold(self, row: ShipmentSummary, recorded: RecordedEvent) -> None:
        event = recorded.event
        row.state = shipment_after(row.state, event)
        match event:
            case ShippingArranged():
                row.tracking_number = event.tracking_number
                row.arranged_at, row.reason = recorded.occurred_on, ""
            case ShippingFailed():
                row.reason = event.reason
            case ShippingCancelled() if event.tracking_number is not None:
                row.cancelled_at = recorded.occurred_on
