"""Who is subscribed to what, and the way in for events."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

from ...context import message_context
from ...exceptions import InvalidInput
from ...messages import DomainEvent
from ..patterns import parse_pattern
from ..retry import RetryPolicy
from ..timeouts import check_time_limit
from .calling import is_in_event_loop, name_of, perform, perform_async
from .metrics import BusMetrics, Counters, SubscriptionMetrics
from .publication import ErrorHandler, Publication, is_event
from .result import PublishResult
from .subscription import AnyEvent, Handler, Subscription, as_retry_policy


class InMemoryEventBus:
    """Hands events to handlers in this process, best effort: what isn't handled is reported, not
    kept.

    Handlers are called one after another, sync and async ones alike: by priority, highest first,
    then in the order of subscription; the retries of one come before the next one. An event that a
    handler publishes is handled before that handler goes on. A handler that wants to run beside
    others starts a task or a thread of its own.

    Handlers find the correlation of the event, and the event as the cause, in the message context.

    Any thread may call any method at any time. An event goes to those who were subscribed when it
    was published, whatever changes meanwhile.
    """

    # Tuples are replaced and never changed: who has read one has a snapshot.
    _subscriptions: tuple[Subscription, ...]
    _middleware: tuple[Handler, ...]
    _error_handlers: tuple[ErrorHandler, ...]

    def __init__(
        self,
        *,
        sleep: Callable[[float], object] = time.sleep,
        async_sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """The arguments are for tests: how to pause before a retry, and the source of jitter."""
        self._sleep = sleep
        self._async_sleep = async_sleep
        self._uniform = uniform
        self._lock = threading.Lock()
        self._reset()

    def use(self, middleware: Handler) -> None:
        """Adds a function that gets each event before its handlers and returns it, or another in
        its place. They run in the order of `use`, once for an event that has a subscription.

        One that raises, or returns something else, fails the attempt of that subscription, and is
        run again in the next attempt. Subscriptions are chosen by the event as it was published.
        """
        _check_callable("middleware", middleware)
        with self._lock:
            self._middleware = (*self._middleware, middleware)

    def on_error(self, handler: ErrorHandler) -> None:
        """Adds a function that gets the exception, the event and the subscription when the last
        attempt of that has failed. If it raises, that is logged, and is part of the result."""
        _check_callable("handler", handler)
        with self._lock:
            self._error_handlers = (*self._error_handlers, handler)

    def subscribe(
        self,
        pattern: str | type[DomainEvent],
        handler: Handler,
        *,
        priority: int = 0,
        retry: int | RetryPolicy = 0,
        timeout_seconds: float | None = 5.0,
        filter: Handler | None = None,
        name: str | None = None,
    ) -> Subscription:
        """Calls the handler with each event that the pattern (see `patterns`) matches and the
        filter returns true for.

        `retry` is a policy, or the number of further attempts after 0.1 s, 0.2 s and so on, with
        jitter; sync code sleeps meanwhile. `timeout_seconds` limits each call of the handler, and
        of middleware, filter and error handlers made for it; see `timeouts` for how.
        """
        _check_callable("handler", handler)
        if filter is not None:
            _check_callable("filter", filter)
        if type(priority) is not int:
            raise InvalidInput("priority", f"expected an int, got {type(priority).__name__}")
        check_time_limit("timeout_seconds", timeout_seconds)
        subscription = Subscription(
            name=name or name_of(handler),
            pattern=parse_pattern(pattern),
            handler=handler,
            priority=priority,
            retry=as_retry_policy(retry),
            timeout_seconds=timeout_seconds,
            filter=filter,
            remove=self._remove,
        )
        with self._lock:
            self._subscriptions = tuple(
                sorted((*self._subscriptions, subscription), key=lambda each: -each.priority)
            )
        return subscription

    def unsubscribe(self, pattern: str | type[DomainEvent], handler: Handler) -> bool:
        """Ends all subscriptions of this handler to this pattern. Whether there was one."""
        text = parse_pattern(pattern).text
        with self._lock:
            kept = tuple(
                each
                for each in self._subscriptions
                if each.pattern.text != text or each.handler != handler
            )
            ended = len(kept) < len(self._subscriptions)
            self._subscriptions = kept
        return ended

    def publish(self, event: AnyEvent) -> PublishResult:
        """Handles the event. Raises nothing that a handler raises: see the result.

        Async handlers are waited for, each in an event loop of its own, which can't be done from
        within a running one: raises EventLoopRunning there, before any handler is called.
        """
        publication = self._publication(event)
        if is_in_event_loop():
            publication.refuse_async_functions()
        with _caused_by(event):
            return perform(publication.steps(), self._sleep)

    async def apublish(self, event: AnyEvent) -> PublishResult:
        """As `publish`, for async code. Sync handlers run where Django runs sync code; one that is
        running when the caller is cancelled is waited for."""
        publication = self._publication(event)
        with _caused_by(event):
            return await perform_async(publication.steps(), self._async_sleep)

    def metrics(self) -> BusMetrics:
        with self._lock:
            published, counters = self._events_published, self._counters
            subscriptions = self._subscriptions
        return BusMetrics(
            events_published=published,
            subscriptions=tuple(
                SubscriptionMetrics(
                    name=each.name, pattern=str(each.pattern), **each.counters.snapshot()
                )
                for each in subscriptions
            ),
            **counters.snapshot(),
        )

    def clear(self) -> None:
        """Forgets subscriptions, middleware, error handlers and metrics."""
        with self._lock:
            self._reset()

    def _reset(self) -> None:
        self._subscriptions = ()
        self._middleware = ()
        self._error_handlers = ()
        self._events_published = 0
        self._counters = Counters()

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(
                each for each in self._subscriptions if each is not subscription
            )

    def _publication(self, event: AnyEvent) -> Publication:
        if not is_event(event):
            raise InvalidInput("event", f"expected an event, got {event!r:.60}")
        with self._lock:
            self._events_published += 1
            subscriptions = self._subscriptions
            middleware, error_handlers = self._middleware, self._error_handlers
            counters = self._counters
        return Publication(
            event=event,
            subscriptions=tuple(each for each in subscriptions if each.pattern.matches(event)),
            middleware=middleware,
            error_handlers=error_handlers,
            uniform=self._uniform,
            counters=counters,
        )


def _caused_by(event: AnyEvent) -> AbstractContextManager[object]:
    return message_context(
        correlation_id=event.metadata.get("correlation_id"),
        causation_id=str(event.event_id),
        user_id=event.metadata.get("user_id"),
    )


def _check_callable(field: str, value: Any) -> None:
    if not callable(value):
        raise InvalidInput(field, f"expected a callable, got {value!r:.60}")
