"""One event on its way through middleware and filter to each of its handlers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter

from ...exceptions import EventLoopRunning, HandlerTimeout, InvalidInput
from ...messages import DomainEvent
from ...recorded_event import RecordedEvent
from .calling import Call, Pause, Steps, is_async, name_of
from .metrics import Counters, Counts
from .result import Outcome, OutcomeStatus, PublishResult
from .subscription import AnyEvent, Handler, Subscription

logger = logging.getLogger(__name__)

ErrorHandler = Callable[[Exception, AnyEvent, Subscription], object]


@dataclass(slots=True, kw_only=True)
class Publication:
    """Of who was on the bus when it began. Subscriptions are served one after another."""

    event: AnyEvent
    subscriptions: tuple[Subscription, ...]
    middleware: tuple[Handler, ...]
    error_handlers: tuple[ErrorHandler, ...]
    uniform: Callable[[float, float], float]
    counters: Counters
    #: What the middleware made of the event; None until it has succeeded once.
    _processed: AnyEvent | None = field(default=None, init=False)

    def refuse_async_functions(self) -> None:
        """Raises EventLoopRunning."""
        names = [name_of(function) for function in self._functions() if is_async(function)]
        if names:
            raise EventLoopRunning(", ".join(names))

    def steps(self) -> Steps[PublishResult]:
        outcomes = []
        for subscription in self.subscriptions:
            outcomes.append((yield from self._deliver(subscription)))
        return PublishResult(event=self.event, outcomes=tuple(outcomes))

    def _functions(self) -> Iterator[Callable[..., object]]:
        if self.subscriptions:
            yield from self.middleware
            yield from self.error_handlers
        for subscription in self.subscriptions:
            yield subscription.handler
            if subscription.filter is not None:
                yield subscription.filter

    def _deliver(self, subscription: Subscription) -> Steps[Outcome]:
        attempts = 0
        while True:
            attempts += 1
            started = perf_counter()
            error: Exception | None = None
            try:
                status = yield from self._attempt(subscription)
            except Exception as caught:
                status, error = OutcomeStatus.FAILED, caught
            is_last = error is None or subscription.retry.is_used_up(error, attempts)
            counts = _counts(status, error, attempts, perf_counter() - started, is_last=is_last)
            self.counters.add(counts)
            subscription.counters.add(counts)
            if error is None:
                return Outcome(subscription=subscription, status=status, attempts=attempts)
            if is_last:
                return (yield from self._fail(subscription, attempts, error))
            yield Pause(subscription.retry.delay_seconds(attempts, uniform=self.uniform))

    def _attempt(self, subscription: Subscription) -> Steps[OutcomeStatus]:
        seconds = subscription.timeout_seconds
        if self._processed is None:
            self._processed = yield from self._through_middleware(seconds)
        arguments = (self._processed,)
        if subscription.filter is not None:
            wanted = yield Call(subscription.filter, arguments, seconds)
            if not wanted:
                return OutcomeStatus.FILTERED
        yield Call(subscription.handler, arguments, seconds)
        return OutcomeStatus.HANDLED

    def _through_middleware(self, seconds: float | None) -> Steps[AnyEvent]:
        event = self.event
        for middleware in self.middleware:
            event = yield Call(middleware, (event,), seconds)
            if not is_event(event):
                raise InvalidInput(
                    "middleware", f"{name_of(middleware)} returned {event!r:.60}, not an event"
                )
        return event

    def _fail(self, subscription: Subscription, attempts: int, error: Exception) -> Steps[Outcome]:
        event = self._processed or self.event
        logger.error(
            "%s failed in %s, attempt %d of %d",
            event.event_type,
            subscription.name,
            attempts,
            subscription.retry.attempts,
            exc_info=error,
        )
        further = []
        for handle_error in self.error_handlers:
            try:
                yield Call(handle_error, (error, event, subscription), subscription.timeout_seconds)
            except Exception as another:
                logger.exception("Error handler %s failed itself", name_of(handle_error))
                further.append(another)
        return Outcome(
            subscription=subscription,
            status=OutcomeStatus.FAILED,
            attempts=attempts,
            exception=error,
            error_handler_exceptions=tuple(further),
        )


def is_event(value: object) -> bool:
    return isinstance(value, DomainEvent | RecordedEvent) and hasattr(value, "event_type")


def _counts(
    status: OutcomeStatus,
    error: Exception | None,
    attempts: int,
    seconds: float,
    *,
    is_last: bool,
) -> Counts:
    """Of one attempt."""
    return Counts(
        events_processed=status is OutcomeStatus.HANDLED,
        errors=status is OutcomeStatus.FAILED and is_last,
        filtered=status is OutcomeStatus.FILTERED,
        retries=attempts > 1,
        timeouts=isinstance(error, HandlerTimeout),
        total_seconds=seconds,
        longest_attempt_seconds=seconds,
    )
