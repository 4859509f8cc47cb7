"""What a handler can know of the call that it is in."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic

from ..exceptions import NotInDelivery
from ..recorded_event import RecordedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDelivery:
    """One attempt to have an event handled. With a batch handler, `event` is the first one."""

    subscription: str
    event: RecordedEvent
    #: 1, 2, ...
    attempt: int
    #: In `time.monotonic()`; None where there is no limit.
    deadline: float | None
    #: Read models are being rebuilt: nothing but their rows may be touched.
    is_replay: bool = False

    @property
    def idempotency_key(self) -> str:
        """The same in each attempt, so that another system can tell a repetition."""
        return f"{self.subscription}:{self.event.event_id}"

    @property
    def remaining_seconds(self) -> float | None:
        return None if self.deadline is None else max(0.0, self.deadline - monotonic())


_current: ContextVar[EventDelivery] = ContextVar("events_delivery")
set_current, reset_current = _current.set, _current.reset


def current_delivery() -> EventDelivery:
    """Raises NotInDelivery outside of a durable handler."""
    try:
        return _current.get()
    except LookupError:
        raise NotInDelivery from None
