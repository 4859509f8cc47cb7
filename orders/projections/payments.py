"""Payments, as their events tell of them."""

from __future__ import annotations

from events.projections import projects
from events.recorded_event import RecordedEvent

from ..events import PaymentFailed, PaymentProcessed, PaymentRefunded
from ..models import PaymentSummary
from .folding import FoldedRows
from .parts import payment_after


@projects(
    PaymentProcessed,
    PaymentFailed,
    PaymentRefunded,
    name="orders.payments",
    models=[PaymentSummary],
    in_batches=True,
    batch_size=500,
)
class Payments(FoldedRows):
    model = PaymentSummary

    def fold(self, row: PaymentSummary, recorded: RecordedEvent) -> None:
        event = recorded.event
        row.state = payment_after(row.state, event)
        match event:
            case PaymentProcessed():
                row.amount, row.currency = event.amount.amount, event.amount.currency
                row.payment_method, row.reference = event.payment_method, event.reference
                row.charged_at, row.reason = recorded.occurred_on, ""
            case PaymentFailed():
                row.reason = event.reason
            case PaymentRefunded() if event.amount:
                row.refunded_at = recorded.occurred_on
