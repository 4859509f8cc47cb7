"""A clock for tests that run sagas in a database: it stands still, and is moved by hand.

    with stopped_clock() as clock:
        place_order()
        drain()                  # no answer comes
        clock.advance(minutes=2)
        drain()                  # what was due by then: time-outs, retries, deadlines

Of sagas it is the time of the database. What waits in the delivery of events for its next attempt
comes nearer by as much; leases, time limits and `recorded_at` go by real time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import F, Min, QuerySet
from django.utils import timezone

from events.conf import events_settings
from events.delivery.draining import drain
from events.models import FailedEvent, Lane

from ..clock import database_time, stand_still
from ..models import ProcessDeadline, SagaTimer

#: What is due at a moment of the delivery is so by the database, a little later than here.
_MARGIN = timedelta(milliseconds=10)


class Clock:
    """Made by `stopped_clock`."""

    @property
    def now(self) -> datetime:
        return database_time()

    def advance(self, seconds: float = 0, **units: float) -> None:
        """By as much as this `timedelta`. What is due then fires when it is looked for: `drain`."""
        self._advance(timedelta(seconds=seconds, **units))

    def _advance(self, step: timedelta) -> None:
        if step < timedelta(0):
            raise ValueError(f"Time doesn't go back, by {step}.")
        stand_still(self.now + step)
        _retries().update(next_attempt_at=F("next_attempt_at") - step)
        _pauses().update(not_before=F("not_before") - step)

    def advance_to_next(self) -> bool:
        """To the moment when something is due. False when nothing is."""
        now, real_now = self.now, timezone.now()
        waits = [due - now for due in _due_times()]
        waits += [due - real_now + _MARGIN for due in _due_times_of_delivery()]
        if not waits:
            return False
        self._advance(max(min(waits), timedelta(0)))
        return True

    def run_to_end(self, *, most_moments: int = 300) -> None:
        """Has everything handled that is behind, now and at each moment when something is due,
        until nothing is. AssertionError, when that has no end."""
        drain(raise_errors=False)
        for _ in range(most_moments):
            if not self.advance_to_next():
                return
            drain(raise_errors=False)
        raise AssertionError(f"After {most_moments} moments something is still due: it has no end.")


@contextmanager
def stopped_clock(at: datetime | None = None) -> Iterator[Clock]:
    """Begins now, or `at` this moment, for all threads of this process."""
    before = stand_still(at or database_time())
    try:
        yield Clock()
    finally:
        stand_still(before)


def _due_times() -> list[datetime]:
    using = events_settings().database
    return [
        first
        for rows in (SagaTimer.objects.using(using), ProcessDeadline.objects.using(using))
        if (first := rows.aggregate(first=Min("due_at"))["first"]) is not None
    ]


def _due_times_of_delivery() -> list[datetime]:
    retry = _retries().aggregate(first=Min("next_attempt_at"))["first"]
    pause = _pauses().aggregate(first=Min("not_before"))["first"]
    return [first for first in (retry, pause) if first is not None]


def _retries() -> QuerySet[FailedEvent]:
    rows = FailedEvent.objects.using(events_settings().database)
    return rows.filter(status=FailedEvent.Status.RETRYING, next_attempt_at__isnull=False)


def _pauses() -> QuerySet[Lane]:
    """Of lanes that back off."""
    return Lane.objects.using(events_settings().database).filter(not_before__gt=timezone.now())
