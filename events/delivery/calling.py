"""Calls handlers: with the event as the cause of what they do, and within their time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from time import monotonic

from ..bus.subscription import Handler, SavesTogether, Subscription
from ..bus.timeouts import run_within
from ..context import MessageContext, current_context, successive_contexts
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
        with deliveries(subscription, is_replay) as enter:
            enter(events[0], 1, timeout)
            run_within(timeout, subscription.handler, list(events))
        return len(events)

    def run() -> int:
        end = monotonic() + budget_seconds
        with deliveries(subscription, is_replay) as enter, _together(subscription) as handler:
            for number, event in enumerate(events, start=1):
                enter(event, 1, timeout)
                handler(event)
                if monotonic() > end or is_stopping():
                    return number
        return len(events)

    return run_within(None if timeout is None else budget_seconds + timeout, run)


def handle_one(
    subscription: Subscription, event: RecordedEvent, *, attempt: int, is_replay: bool = False
) -> None:
    """Raises what the handler raises, or HandlerTimeout."""
    timeout = subscription.timeout_seconds
    with deliveries(subscription, is_replay) as enter:
        enter(event, attempt, timeout)
        run_within(timeout, subscription.handler, [event] if subscription.in_batches else event)


def _together(subscription: Subscription) -> AbstractContextManager[Handler]:
    handler = subscription.handler
    return handler.together() if isinstance(handler, SavesTogether) else nullcontext(handler)


@contextmanager
def deliveries(
    subscription: Subscription, is_replay: bool
) -> Iterator[Callable[[RecordedEvent, int, float | None], None]]:
    """What a handler can know, of one event after the other: the yielded function is called with
    each, its attempt and its limit in seconds. It is on the way of every event."""
    name, outer = subscription.name, current_context()
    with successive_contexts() as enter_context, context.successive_deliveries() as enter_delivery:

        def enter(event: RecordedEvent, attempt: int, timeout_seconds: float | None) -> None:
            deadline = None if timeout_seconds is None else monotonic() + timeout_seconds
            enter_delivery((name, event, attempt, deadline, is_replay))
            enter_context(partial(_caused_by, event, outer))

        yield enter


def _caused_by(event: RecordedEvent, outer: MessageContext) -> MessageContext:
    metadata = event.metadata
    return MessageContext(
        correlation_id=metadata.get("correlation_id") or outer.correlation_id,
        causation_id=str(event.event_id),
        user_id=metadata.get("user_id") or outer.user_id,
        extra=outer.extra,
    )
