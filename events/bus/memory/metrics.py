"""What the bus has done since it was made or cleared."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of handlings: one event given to two handlers counts twice."""

    #: Handled in the end.
    events_processed: int = 0
    #: Failed in the end.
    errors: int = 0
    filtered: int = 0
    #: Attempts after the first.
    retries: int = 0
    #: Attempts that were interrupted.
    timeouts: int = 0
    #: Of all attempts, without the pauses between them.
    total_seconds: float = 0.0
    longest_attempt_seconds: float = 0.0

    def __add__(self, more: Counts) -> Counts:
        return Counts(
            events_processed=self.events_processed + more.events_processed,
            errors=self.errors + more.errors,
            filtered=self.filtered + more.filtered,
            retries=self.retries + more.retries,
            timeouts=self.timeouts + more.timeouts,
            total_seconds=self.total_seconds + more.total_seconds,
            longest_attempt_seconds=max(self.longest_attempt_seconds, more.longest_attempt_seconds),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMetrics(Counts):
    name: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BusMetrics(Counts):
    """Of all subscriptions together, those that have ended too."""

    events_published: int
    #: Of those that are subscribed now, in the order of handling.
    subscriptions: tuple[SubscriptionMetrics, ...]


class Counters:
    """Counts that threads add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Counts()

    def add(self, more: Counts) -> None:
        with self._lock:
            self._totals = self._totals + more

    def snapshot(self) -> dict[str, Any]:
        return asdict(self._totals)
