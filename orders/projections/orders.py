"""Orders: what each of their streams tells, and where they stand for it."""

from __future__ import annotations

from collections.abc import Sequence

from events.messages import DomainEvent
from events.projections import projects
from events.recorded_event import RecordedEvent

from ..aggregates.order import Order
from ..aggregates.payment import Payment
from ..aggregates.reservation import Reservation
from ..aggregates.shipment import Shipment
from ..events import (
    InventoryReleased,
    InventoryReservationFailed,
    InventoryReserved,
    OrderCancelled,
    OrderCompleted,
    OrderDelivered,
    OrderPlaced,
    OrderProcessingFailed,
    PaymentFailed,
    PaymentProcessed,
    PaymentRefunded,
    ShippingArranged,
    ShippingCancelled,
    ShippingFailed,
)
from ..models import (
    OrderFigures,
    OrderState,
    OrderSummary,
    OrderSummaryLine,
    PaymentState,
    ReservationState,
    ShipmentState,
)
from .figures import FigureChanges
from .folding import FoldedRows
from .parts import payment_after, reservation_after, shipment_after


@projects(
    OrderPlaced,
    OrderCancelled,
    OrderCompleted,
    OrderDelivered,
    OrderProcessingFailed,
    InventoryReserved,
    InventoryReservationFailed,
    InventoryReleased,
    PaymentProcessed,
    PaymentFailed,
    PaymentRefunded,
    ShippingArranged,
    ShippingFailed,
    ShippingCancelled,
    name="orders.orders",
    models=[OrderSummary, OrderSummaryLine, OrderFigures],
    in_batches=True,
    batch_size=500,
)
class Orders(FoldedRows):
    """Each stream of an order has columns of its own, and `state` follows from them all. So it
    doesn't matter that events of two streams can change places, where one fails and is retried.
    In one lane: two would write the same row, each with an old value of the other's columns."""

    model = OrderSummary

    def project_batch(self, events: Sequence[RecordedEvent]) -> None:
        changing, figures = self.rows_of(events), FigureChanges()
        figures.take_away(changing.values())
        self.fold_all(changing, events)
        figures.add(changing.values())
        self.write(changing)
        figures.write(self.rows(OrderFigures))
        self._write_lines(events)

    def _write_lines(self, events: Sequence[RecordedEvent]) -> None:
        lines = self.rows(OrderSummaryLine)
        self.insert(
            OrderSummaryLine,
            [
                lines.model(
                    order_id=recorded.aggregate_id,
                    number=number,
                    product_id=line.product_id,
                    quantity=line.quantity,
                    unit_price=line.unit_price.amount,
                    currency=line.unit_price.currency,
                )
                for recorded in events
                if isinstance(recorded.event, OrderPlaced)
                for number, line in enumerate(recorded.event.items, start=1)
            ],
        )

    def fold(self, row: OrderSummary, recorded: RecordedEvent) -> None:
        match recorded.aggregate_type:
            case Order.aggregate_type:
                _fold_order(row, recorded)
            case Reservation.aggregate_type:
                row.reservation = reservation_after(row.reservation, recorded.event)
            case Payment.aggregate_type:
                _fold_payment(row, recorded.event)
            case Shipment.aggregate_type:
                row.shipment = shipment_after(row.shipment, recorded.event)

    def settle(self, row: OrderSummary) -> None:
        row.state = _state(row)


def _fold_order(row: OrderSummary, recorded: RecordedEvent) -> None:
    match recorded.event:
        case OrderPlaced() as event:
            row.customer_id = event.user_id
            row.total_amount = event.total_amount.amount
            row.currency = event.total_amount.currency
            row.placed_at = recorded.occurred_on
        case OrderCancelled() as event:
            row.cancelled_at, row.reason = recorded.occurred_on, event.reason
        case OrderCompleted() as event:
            row.completed_at = event.completion_date
        case OrderDelivered():
            row.delivered_at = recorded.occurred_on
        case OrderProcessingFailed() as event:
            row.failed_step, row.failure = event.step, event.reason


def _fold_payment(row: OrderSummary, event: DomainEvent) -> None:
    row.payment = payment_after(row.payment, event)
    match event:
        case PaymentProcessed():
            row.charged_amount = event.amount.amount
        case PaymentRefunded() if event.amount:
            row.refunded_amount = event.amount.amount


def _state(row: OrderSummary) -> str:
    if row.placed_at is None:
        return ""
    if row.cancelled_at is not None:
        return OrderState.CANCELLED
    if row.completed_at is not None:
        return OrderState.COMPLETED
    if row.delivered_at is not None:
        return OrderState.DELIVERED
    if row.shipment == ShipmentState.ARRANGED:
        return OrderState.SHIPPED
    if row.payment == PaymentState.PAID:
        return OrderState.PAID
    if row.reservation == ReservationState.RESERVED:
        return OrderState.RESERVED
    return OrderState.PLACED
