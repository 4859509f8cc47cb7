"""Events in both forms, a bus that doesn't sleep, and code that takes its time."""

from __future__ import annotations

import threading
import time
from typing import Any

from events.bus.memory import InMemoryEventBus
from events.messages import DomainEvent
from events.recorded_event import RecordedEvent
from events.store.memory import MemoryEventStore
from events.streams import StreamName
from tests.factories import cart, item_added


def recorded(event: DomainEvent | None = None, stream: StreamName | None = None) -> RecordedEvent:
    store, stream = MemoryEventStore(), stream or cart()
    store.append(stream, [event or item_added()])
    return next(store.read_stream(stream))


class Pauses(list[float]):
    """Takes the place of both kinds of sleep, and keeps what it was asked for."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)

    async def asynchronously(self, seconds: float) -> None:
        self.append(seconds)


def bus_with(pauses: Pauses) -> InMemoryEventBus:
    """Without jitter: each pause is the longest that it can be."""
    return InMemoryEventBus(
        sleep=pauses, async_sleep=pauses.asynchronously, uniform=lambda least, most: most
    )


class FailingTimes:
    """A handler that fails so many times before it works."""

    def __init__(self, times: int) -> None:
        self.remaining = times
        self.handled: list[Any] = []

    def __call__(self, event: Any) -> None:
        if self.remaining:
            self.remaining -= 1
            raise ValueError(f"{self.remaining} more")
        self.handled.append(event)


def keep_busy(seconds: float) -> str:
    """Pure Python all the time, so that it can be interrupted in any thread."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "done"


def in_new_thread(function):
    """What the function returns or raises in a thread of its own."""
    answers: list[Any] = []

    def call() -> None:
        try:
            answers.append((function(), None))
        except BaseException as error:
            answers.append((None, error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    [(value, error)] = answers
    if error is not None:
        raise error
    return value


def in_this_thread(function):
    return function()
