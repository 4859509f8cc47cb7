"""Tries what has failed again, when it is due, and then what has waited behind it in its stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from django.db import transaction

from ..exceptions import HandlerDied, HandlerTimeout, LeaseLost, Outage
from ..models import FailedEvent
from ..recorded_event import RecordedEvent
from ..store.source import EventSource
from ..streams import StreamName
from . import failures
from .handling import Handling
from .outcome import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Those of a lane, at one moment."""

    handling: Handling
    store: EventSource
    #: Streams whose events wait. Those that are free again are taken out.
    blocked: set[StreamName]
    #: Where the lane stands.
    seen: int
    is_stopping: Callable[[], bool]
    #: Made at once, whenever they are due.
    ignores_delays: bool

    def make(self) -> Ending:
        """Raises LeaseLost, Outage, and database errors that no handler is to blame for."""
        for row in failures.due(
            self.handling.subscription, self.handling.lease.number, also_later=self.ignores_delays
        ):
            successor: FailedEvent | None = row
            while successor is not None:
                if self.is_stopping():
                    return Ending.STOPPED
                proceeds, successor = self._retry(successor)
                if not proceeds:
                    return Ending.HALTED
        return Ending.CAUGHT_UP

    def _retry(self, row: FailedEvent) -> tuple[bool, FailedEvent | None]:
        """Whether the lane goes on, and the event that had waited behind this one."""
        if failures.is_used_up(self.handling.subscription, row):
            return self._give_up(row, HandlerDied(), crashes=1), None
        event = failures.event_of(row, self.store)
        try:
            return self._attempt(row, event)
        except (LeaseLost, Outage):
            failures.forget_attempt(row)
            raise

    def _attempt(self, row: FailedEvent, event: RecordedEvent) -> tuple[bool, FailedEvent | None]:
        lease, started = self.handling.lease, perf_counter()
        with transaction.atomic(using=lease.using):
            # The lane's row last, as everywhere: operators lock in this order, too.
            if not failures.count_attempt(self.handling.subscription, row):
                raise LeaseLost(lease.subscription, lease.number)
            lease.hold()
        successor: list[FailedEvent | None] = []

        def finish() -> None:
            # The checkpoint catches up with what was passed over because the stream was blocked:
            # from now on, only what lies behind it will be.
            successor.append(
                failures.resolve(self.handling.subscription, row, self.store, self.seen)
            )
            added = {"handled": 1, "handler_seconds": perf_counter() - started}
            lease.checkpoint(self.seen, added=added)

        try:
            if self.handling.is_wanted(event):
                self.handling.call(event, attempt=row.attempts, finish=finish)
            else:
                with transaction.atomic(using=lease.using):
                    finish()
        except Exception as error:
            self.handling.raise_if_not_the_handlers(error)
            self.handling.tell(event, error, row.attempts)
            return self._give_up(row, error), None
        lease.took_checkpoint(self.seen)
        self.handling.tally.handled += 1
        if row.blocks and successor[0] is None:
            self.blocked.discard(event.stream)
        return True, successor[0]

    def _give_up(self, row: FailedEvent, error: Exception, crashes: int = 0) -> bool:
        """For now, or for good."""
        lease, blocked = self.handling.lease, row.blocks
        with transaction.atomic(using=lease.using):
            failures.note_failure(self.handling.subscription, row, error)
            added = {
                "failed_attempts": 1,
                "timeouts": int(isinstance(error, HandlerTimeout)),
                "crashes": crashes,
                "dead_letters": int(row.status == FailedEvent.Status.DEAD),
            }
            gives_way = blocked and not row.blocks
            successor = (
                failures.succeed(self.handling.subscription, row, self.store, self.seen)
                if gives_way
                else None
            )
            lease.checkpoint(self.seen, failure_streak=lease.failure_streak, added=added)
        lease.took_checkpoint(self.seen, failure_streak=lease.failure_streak)
        if gives_way and successor is None:
            self.blocked.discard(StreamName(row.aggregate_type, row.aggregate_id))
        return self.handling.after_failure(row, error)
