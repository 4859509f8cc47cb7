"""Has events handled here, beside whatever other workers there are, until all is settled."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db.models import QuerySet, Sum

from events.bus.subscription import Delivery, subscriptions
from events.delivery.worker import Worker
from events.exceptions import EventsError
from events.models import FailedEvent, Lane, SubscriptionState
from events.store.configured import event_store

_NAP_SECONDS = 0.05


class NothingMoves(EventsError):
    """What is waited for doesn't come, and nobody works on anything any more."""

    def __init__(self, awaited: str, seconds: float) -> None:
        super().__init__(
            f"For {seconds:.0f} s nothing was handled, and {awaited}. Look at the subscriptions "
            "and the dead letters; the same command goes on where it was."
        )


class Shop:
    def __init__(self, patience_seconds: float = 60) -> None:
        self._patience_seconds = patience_seconds
        self._worker = Worker()

    def work(self) -> None:
        """Until there is nothing to do here and now."""
        while self._worker.turn():
            pass

    def work_until(self, is_done: Callable[[], bool], awaited: str) -> None:
        """Raises NothingMoves, which says what was awaited."""
        before, moved_at = None, time.monotonic()
        while True:
            self.work()
            self._worker.settle()
            if is_done():
                return
            now = _progress()
            if now != before:
                before, moved_at = now, time.monotonic()
            elif time.monotonic() - moved_at > self._patience_seconds:
                raise NothingMoves(awaited, self._patience_seconds)
            time.sleep(_NAP_SECONDS)


def is_all_handled() -> bool:
    """By subscriptions that are active; what operators have to look at is not waited for."""
    retries = FailedEvent.objects.filter(status=FailedEvent.Status.RETRYING)
    mark = event_store().high_water_mark()
    return not retries.exists() and not _lanes().filter(position__lt=mark).exists()


def _lanes() -> QuerySet[Lane]:
    return Lane.objects.filter(
        subscription__in=[each.name for each in subscriptions.of(Delivery.DURABLE)],
        subscription__status=SubscriptionState.Status.ACTIVE,
    )


def _progress() -> tuple[object, ...]:
    done = _lanes().aggregate(at=Sum("position"), handled=Sum("handled"))
    return (*done.values(), FailedEvent.objects.aggregate(attempts=Sum("attempts"))["attempts"])
