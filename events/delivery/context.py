"""What a handler can know of the call that it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias

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


#: Made into an EventDelivery when it is asked for, which most handlers don't.
_Fields: TypeAlias = tuple[str, RecordedEvent, int, float | None, bool]
_current: ContextVar[_Fields | None] = ContextVar("events_delivery", default=None)


@contextmanager
def successive_deliveries() -> Iterator[Callable[[_Fields], object]]:
    """The yielded function is called with the fields of each, in their order."""
    token = _current.set(_current.get())
    try:
        yield _current.set
    finally:
        _current.reset(token)


def current_delivery() -> EventDelivery:
    """Raises NotInDelivery outside of a durable handler."""
    fields = _current.get()
    if fields is None:
        raise NotInDelivery
    subscription, event, attempt, deadline, is_replay = fields
    return EventDelivery(
        subscription=subscription,
        event=event,
        attempt=attempt,
        deadline=deadline,
        is_replay=is_replay,
    )
