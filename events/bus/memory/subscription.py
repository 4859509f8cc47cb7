"""One handler's place on the bus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...exceptions import InvalidInput
from ...messages import DomainEvent
from ...recorded_event import RecordedEvent
from ..patterns import EventPattern
from ..retry import RetryPolicy
from .metrics import Counters

AnyEvent: TypeAlias = DomainEvent | RecordedEvent
#: Sync or async: an awaitable that it returns is awaited.
Handler: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subscription:
    """What `subscribe` returns. Call it, or its `unsubscribe`, to end it; again does nothing."""

    name: str
    pattern: EventPattern
    handler: Handler
    priority: int
    retry: RetryPolicy
    timeout_seconds: float | None
    filter: Handler | None
    remove: Callable[[Subscription], None] = field(repr=False)
    counters: Counters = field(default_factory=Counters, repr=False)

    def unsubscribe(self) -> None:
        """A publication that is under way still reaches the handler."""
        self.remove(self)

    __call__ = unsubscribe


def as_retry_policy(retry: int | RetryPolicy) -> RetryPolicy:
    """A number is that of the attempts after the first."""
    if isinstance(retry, RetryPolicy):
        return retry
    if type(retry) is not int or retry < 0:
        raise InvalidInput("retry", f"expected an int of at least 0 or a policy, got {retry!r:.60}")
    return RetryPolicy(attempts=retry + 1)
