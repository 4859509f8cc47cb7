"""Calls handlers: with the event as the cause of what they do, and within their time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from ..bus.subscription import Subscription
from ..bus.timeouts import run_within
from ..context import message_context
from ..recorded_event import RecordedEvent
from . import context

#: Of a transaction with many events. It ends with the first event that is handled after this.
BATCH_SECONDS = 1.0
#: Where there is one writer at a time, others wait for it.
BATCH_SECONDS_OF_SINGLE_WRITER = 0.1


def handle_batch(
    subscription: Subscription,
    events: Sequence[RecordedEvent],
    *,
    budget_seconds: float,
    is_stopping: Callable[[], bool],
    is_replay: bool = False,
) -> int:
    """Has as many of the events handled as fit into the time. Returns how many that are.

    One time limit for all: an event that exceeds its own is found when they are repeated one by
    one, each within `subscription.timeout_seconds`.
    """
    timeout = subscription.timeout_seconds
    if subscription.in_batches:
        with _delivery(subscription, events[0], 1, timeout, is_replay):
            run_within(timeout, subscription.handler, list(events))
        return len(events)

    def run() -> int:
        end = monotonic() + budget_seconds
        for number, event in enumerate(events, start=1):
            with _delivery(subscription, event, 1, timeout, is_replay):
                subscription.handler(event)
            if monotonic() > end or is_stopping():
                return number
        return len(events)

    return run_within(None if timeout is None else budget_seconds + timeout, run)


def handle_one(
    subscription: Subscription, event: RecordedEvent, *, attempt: int, is_replay: bool = False
) -> None:
    """Raises what the handler raises, or HandlerTimeout."""
    timeout = subscription.timeout_seconds
    with _delivery(subscription, event, attempt, timeout, is_replay):
        run_within(timeout, subscription.handler, [event] if subscription.in_batches else event)


@contextmanager
def _delivery(
    subscription: Subscription,
    event: RecordedEvent,
    attempt: int,
    timeout_seconds: float | None,
    is_replay: bool,
) -> Iterator[None]:
    token = context.set_current(
        context.EventDelivery(
            subscription=subscription.name,
            event=event,
            attempt=attempt,
            deadline=None if timeout_seconds is None else monotonic() + timeout_seconds,
            is_replay=is_replay,
        )
    )
    metadata = event.metadata
    try:
        with message_context(
            correlation_id=metadata.get("correlation_id"),
            causation_id=str(event.event_id),
            user_id=metadata.get("user_id"),
        ):
            yield
    finally:
        context.reset_current(token)
