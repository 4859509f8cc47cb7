"""How it ended, said in the stream of the order, for those who don't know of sagas."""

from __future__ import annotations

from uuid import UUID

from events.bus.subscription import subscribes_to
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName
from sagas.events import CompensationPlanned, SagaCompensated, SagaCompleted, SagaFailed
from sagas.running import repository
from sagas.state import Progress

from ..aggregates.order import Order
from ..events import OrderProcessingCompleted, OrderProcessingFailed
from .orchestrated import OrderSagaOrchestrator

_PREFIX = f"{OrderSagaOrchestrator.saga_type}:"


def _is_of_an_order(recorded: RecordedEvent) -> bool:
    return recorded.aggregate_id.startswith(_PREFIX)


@subscribes_to(
    SagaCompleted,
    SagaCompensated,
    SagaFailed,
    name="orders.outcome",
    filter=_is_of_an_order,
    priority=3,
)
def tell_the_outcome(recorded: RecordedEvent) -> None:
    """Once: an end that a late answer undid, and that came again, is told already."""
    order_id = UUID(recorded.aggregate_id.removeprefix(_PREFIX))
    stream = StreamName(Order.aggregate_type, order_id)
    if _is_told(stream):
        return
    if isinstance(recorded.event, SagaCompleted):
        completed = OrderProcessingCompleted(
            order_id=order_id, completed_at=recorded.event.occurred_on
        )
        event_store().append(stream, [completed])
        return
    failed = OrderProcessingFailed(
        order_id=order_id,
        step=_failed_step(recorded.aggregate_id),
        reason=_reason(recorded.stream),
    )
    event_store().append(stream, [failed])


def _is_told(stream: StreamName) -> bool:
    ends = [OrderProcessingCompleted.event_type, OrderProcessingFailed.event_type]
    return any(True for _ in event_store().read_stream(stream, event_types=ends, limit=1))


def _reason(saga: StreamName) -> str:
    planned = event_store().read_stream(
        saga, event_types=[CompensationPlanned.event_type], backwards=True, limit=1
    )
    return next((str(recorded.data["reason"]) for recorded in planned), "")


def _failed_step(saga_id: str) -> str:
    """The first one that did not succeed; none where an operator turned the saga back."""
    state = repository.load(saga_id).state
    steps = state.do.items() if state else ()
    return next(
        (step for step, leg in steps if leg.progress in (Progress.REJECTED, Progress.UNKNOWN)),
        "",
    )
