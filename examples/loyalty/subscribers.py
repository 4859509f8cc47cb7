"""Ordered, because an order is placed before it is completed, and stays so on the way here."""

from __future__ import annotations

from decimal import Decimal

from events.bus.queues import QueueOptions
from events.bus.subscription import subscribes_to
from events.recorded_event import RecordedEvent

from .models import Purchase


@subscribes_to(
    "Order.OrderPlaced",
    "Order.OrderCompleted",
    name="loyalty.purchases",
    queue=QueueOptions(name="loyalty.purchases", ordered=True),
)
def note_purchase(recorded: RecordedEvent) -> None:
    if recorded.event_type == "OrderCompleted":
        Purchase._default_manager.filter(order_id=recorded.aggregate_id).update(is_completed=True)
        return
    total = recorded.data["total_amount"]
    Purchase._default_manager.create(
        order_id=recorded.aggregate_id,
        customer_id=recorded.data["user_id"],
        amount=Decimal(total["amount"]),
        currency=total["currency"],
    )
