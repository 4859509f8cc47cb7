"""How a choreographed order ended, said in the stream of the order, as `outcome` does it."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from events.bus.subscription import subscribes_to
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName
from sagas.events import ProcessCompensated, ProcessCompleted

from ..aggregates.order import Order
from ..events import OrderCancelled, OrderProcessingCompleted, OrderProcessingFailed
from .choreographed import OrderProcessingSaga

_PREFIX = f"{OrderProcessingSaga.saga_type}:"


def _is_of_an_order(recorded: RecordedEvent) -> bool:
    return recorded.aggregate_id.startswith(_PREFIX)


@subscribes_to(
    ProcessCompleted,
    ProcessCompensated,
    name="orders.choreographed_outcome",
    filter=_is_of_an_order,
    priority=3,
)
def tell_the_outcome(recorded: RecordedEvent) -> None:
    order_id = UUID(recorded.aggregate_id.removeprefix(_PREFIX))
    stream = StreamName(Order.aggregate_type, order_id)
    told: OrderProcessingCompleted | OrderProcessingFailed
    if isinstance(recorded.event, ProcessCompleted):
        told = OrderProcessingCompleted(order_id=order_id, completed_at=recorded.event.occurred_on)
    else:
        step = cast("ProcessCompensated", recorded.event).step
        told = OrderProcessingFailed(order_id=order_id, step=step, reason=_reason(stream))
    if not any(event_store().read_stream(stream, event_types=[told.event_type], limit=1)):
        event_store().append(stream, [told])


def _reason(order: StreamName) -> str:
    cancelled = event_store().read_stream(order, event_types=[OrderCancelled.event_type], limit=1)
    return next((str(recorded.data["reason"]) for recorded in cancelled), "")
