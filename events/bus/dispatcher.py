"""Hands events of this process to its inline and local subscriptions, behind the signals.

Signals call their receivers in the order of registration, stop at the first error or swallow it,
and forget receivers that nobody else holds. Here is order by priority, one outcome for each
handler, and strong references.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from ..context import message_context
from ..recorded_event import RecordedEvent
from ..signals import events_appended, events_committed, handler_failed
from ..store.history import AdoptedEvents
from .memory import InMemoryEventBus
from .memory import Subscription as Handle
from .subscription import Delivery, Subscription, subscriptions
from .timeouts import run_within

logger = logging.getLogger(__name__)

#: What `delivery=LOCAL` subscribes to. Middleware and error handlers can be added to it.
local_bus = InMemoryEventBus()

_local: dict[str, tuple[Subscription, Handle]] = {}


def follow_subscriptions() -> None:
    """Connects to the signals as long as somebody is to be called: an append without listeners
    saves itself a transaction."""
    inline = subscriptions.of(Delivery.INLINE)
    if inline:
        events_appended.connect(_deliver_inline, dispatch_uid="events.dispatcher")
    else:
        events_appended.disconnect(dispatch_uid="events.dispatcher")
    _follow_local({each.name: each for each in subscriptions.of(Delivery.LOCAL)})


def _follow_local(wanted: dict[str, Subscription]) -> None:
    for name, (subscription, handle) in list(_local.items()):
        if wanted.get(name) is not subscription:
            handle.unsubscribe()
            del _local[name]
    for name, subscription in wanted.items():
        if name not in _local:
            handle = local_bus.subscribe(
                "*",
                subscription.handler,
                name=name,
                filter=subscription.wants,
                priority=subscription.priority,
                retry=subscription.retry,
                timeout_seconds=subscription.timeout_seconds,
            )
            _local[name] = (subscription, handle)
    if wanted:
        events_committed.connect(_deliver_locally, dispatch_uid="events.dispatcher")
    else:
        events_committed.disconnect(dispatch_uid="events.dispatcher")


def _deliver_inline(events: Sequence[RecordedEvent], **kwargs: Any) -> None:
    """What a handler raises undoes the append."""
    inline = [each for each in subscriptions.of(Delivery.INLINE) if _may_want(each, events)]
    for event in events if inline else ():
        for subscription in inline:
            if subscription.wants(event):
                with message_context(
                    correlation_id=event.metadata["correlation_id"],
                    causation_id=str(event.event_id),
                    user_id=event.metadata["user_id"],
                ):
                    run_within(subscription.timeout_seconds, subscription.handler, event)


def _may_want(subscription: Subscription, events: Sequence[RecordedEvent]) -> bool:
    if not isinstance(events, AdoptedEvents):
        return True
    return any(
        criterion.fits(*kind) for criterion in subscription.criteria for kind in events.kinds
    )


def _deliver_locally(events: Sequence[RecordedEvent], **kwargs: Any) -> None:
    for event in events:
        local_bus.publish(event)


def _report(error: BaseException, event: Any, handle: Handle) -> None:
    logger.error("%s has failed at %s", handle.name, event, exc_info=error)
    subscription, _ = _local.get(handle.name, (None, None))
    handler_failed.send_robust(
        sender=Subscription,
        subscription=subscription,
        event=event,
        error=error,
        attempt=handle.retry.attempts,
    )


local_bus.on_error(_report)
subscriptions.observers.append(follow_subscriptions)
