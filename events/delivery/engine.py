"""Handles the events of one lane, from its checkpoint to the high-water mark.

A batch is one transaction. When that fails, its events are repeated one by one, each in its own,
so that only those which fail by themselves are recorded as failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, perf_counter

from django.db import transaction

from ..bus.retry import RetryPolicy
from ..bus.subscription import OnFailure, Subscription
from ..exceptions import HandlerDied, HandlerTimeout, Outage
from ..models import FailedEvent
from ..recorded_event import RecordedEvent
from ..store.source import EventSource
from ..streams import StreamName
from . import failures
from .calling import handle_batch
from .handling import Handling
from .lanes import Lease
from .outcome import Ending, Tally
from .retrying import Retries

logger = logging.getLogger(__name__)

#: When so many streams in a row fail, it isn't the events.
OUTAGE_STREAK = 5
OUTAGE_BACK_OFF = RetryPolicy(
    attempts=1, first_delay_seconds=1, factor=2, max_delay_seconds=60, jitter=0.5
)
#: Positions that are looked through at once, so that rare events are found by many short statements
#: rather than by a long one.
WINDOW = 5_000
MAX_WINDOW = 200_000


def never() -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class LaneRun:
    """One turn of this worker at a lane that it has leased."""

    subscription: Subscription
    lease: Lease
    store: EventSource
    is_stopping: Callable[[], bool] = never
    #: Retries are made at once, whenever they are due.
    ignores_delays: bool = False
    is_replay: bool = False
    #: All events for the lane up to the mark, behind those that it has passed over, where somebody
    #: has read them already.
    backlog: Sequence[RecordedEvent] | None = None
    passed_over: int = 0
    #: No event of the lane has failed and is not done with.
    is_clean: bool = False
    tally: Tally = field(default_factory=Tally)
    handling: Handling = field(init=False)
    _mark: int = 0
    _blocked: set[StreamName] = field(default_factory=set)
    _one_by_one_to: int = 0
    #: Looked through, up to here: the checkpoint follows lazily.
    seen: int = 0
    _kept_at: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self.handling = Handling(
            subscription=self.subscription,
            lease=self.lease,
            is_replay=self.is_replay,
            tally=self.tally,
        )

    def run(self, up_to: int) -> Ending:
        """Raises LeaseLost, and database errors that no handler is to blame for."""
        self.seen, self._mark = max(self.lease.position, self.passed_over), up_to
        self.is_clean = self.is_clean or failures.has_none(self.subscription, self.lease.number)
        if not self.is_clean:
            self._blocked = failures.blocked_streams(self.subscription)
        self._recover()
        # After an outage: the next event tells whether it is over, before the retries do.
        for step in (self._handle_new, self._retry_due, self._handle_new):
            ending = step(up_to)
            if ending is not Ending.CAUGHT_UP:
                return ending
        return Ending.CAUGHT_UP

    # --- after a crash ---

    def _recover(self) -> None:
        """A mark of attempted events is there only if their worker didn't live to remove it."""
        attempted_to = self.lease.attempted_to
        if attempted_to is None or self.lease.was_begun_by_claim:
            return
        self._one_by_one_to = attempted_to
        event = next(iter(self._read(attempted_to, 1)), None)
        is_alone = event is not None and event.position == attempted_to
        # A claim begins the attempt before it is known whether the event has to wait.
        if event is not None and is_alone and event.stream not in self._blocked:
            self._fail(event, HandlerDied(), self.lease.attempts, crashes=1)
        else:
            self.lease.forget_attempt()

    # --- new events ---

    def _handle_new(self, up_to: int) -> Ending:
        window = WINDOW
        while self.seen < up_to:
            if self.is_stopping():
                return Ending.STOPPED
            self._keep_the_lane()
            end = up_to if self.backlog is not None else min(self.seen + window, up_to)
            size = 1 if self.lease.outages else self.subscription.batch_size
            events = self._read(end, size)
            if self.backlog and events:
                self.seen = events[0].position - 1
            if events and not self._handle(events):
                return Ending.HALTED
            if len(events) < size and (not events or self.seen == events[-1].position):
                self.seen = end
                window = min(window * 2, MAX_WINDOW)
        return Ending.CAUGHT_UP

    def _keep_the_lane(self) -> None:
        """On a long way past events that aren't for it, somebody else would take over otherwise,
        and begin where this began."""
        if monotonic() - self._kept_at > self.lease.seconds / 3:
            self.lease.keep(self.seen)
            self._kept_at = monotonic()

    def _read(self, up_to: int, limit: int) -> list[RecordedEvent]:
        lanes = self.lease.lanes
        if self.backlog is not None and up_to == self._mark:
            return [event for event in self.backlog if event.position > self.seen][:limit]
        return self.store.read_backlog(
            self.subscription.criteria,
            after=self.seen,
            up_to=up_to,
            limit=limit,
            lane=(self.lease.number, lanes) if lanes > 1 else None,
        )

    def _handle(self, events: Sequence[RecordedEvent]) -> bool:
        """False when the lane is to be left alone."""
        try:
            return self._handle_events(events)
        except Outage as error:
            self._wait_for_the_end_of(error)
            return False

    def _handle_events(self, events: Sequence[RecordedEvent]) -> bool:
        """False when the lane is to be left alone."""
        one_by_one = (
            (self.handling.is_external and not self.subscription.in_batches)
            or len(events) == 1
            or events[0].position <= self._one_by_one_to
            or self.lease.outages > 0
        )
        if not one_by_one and self._handle_together(events):
            return True
        for event in events:
            if not self._handle_alone(event):
                return False
            if self.is_stopping():
                break
        return True

    def _handle_together(self, events: Sequence[RecordedEvent]) -> bool:
        """False when it failed, and left nothing behind."""
        lease, started, releases = self.lease, perf_counter(), False
        try:
            wanted = [event for event in events if self._is_wanted(event)]
        except Exception:
            return False  # the filter's event is found one by one
        if not wanted:
            self.seen = events[-1].position
            return True
        lease.begin(events[-1].position, passed_over=self.seen)
        try:
            with nullcontext() if self.handling.is_external else self.handling.transaction():
                done = handle_batch(
                    self.subscription,
                    wanted,
                    budget_seconds=self.handling.batch_seconds(),
                    is_stopping=self.is_stopping,
                    is_replay=self.is_replay,
                )
                last = wanted[done - 1] if done < len(wanted) else events[-1]
                position, releases = self._end_behind(last)
                added = {"handled": done, "handler_seconds": perf_counter() - started}
                with transaction.atomic(using=lease.using, savepoint=False):
                    lease.checkpoint(position, added=added, releases=releases)
        except Exception as error:
            self.handling.raise_if_not_the_handlers(error)
            lease.confirm()
            lease.forget_attempt()
            return False
        lease.took_checkpoint(position, released=releases)
        self.seen = position
        self.tally.handled += done
        return True

    def _handle_alone(self, event: RecordedEvent) -> bool:
        """False when the lane is to be left alone."""
        lease, started = self.lease, perf_counter()
        try:
            if not self._is_wanted(event):
                self.seen = event.position
                return True
            lease.begin(event.position, passed_over=self.seen)
            self.handling.call(
                event, attempt=lease.attempts, finish=partial(self._checkpoint, event, started)
            )
        except Exception as error:
            self.handling.raise_if_not_the_handlers(error)
            lease.confirm()
            return self._fail(event, error, max(lease.attempts, 1))
        self.seen, releases = self._end_behind(event)
        lease.took_checkpoint(self.seen, released=releases)
        self.tally.handled += 1
        return True

    def _checkpoint(self, event: RecordedEvent, started: float) -> None:
        added = {"handled": 1, "handler_seconds": perf_counter() - started}
        position, releases = self._end_behind(event)
        self.lease.checkpoint(position, added=added, releases=releases)

    def _end_behind(self, event: RecordedEvent) -> tuple[int, bool]:
        """The checkpoint behind it, and whether the lane can be given back there and then."""
        if self.backlog and self.is_clean and event is self.backlog[-1]:
            return self._mark, True
        return event.position, False

    def _is_wanted(self, event: RecordedEvent) -> bool:
        if self._blocked and event.stream in self._blocked:
            return False
        return self.handling.is_wanted(event)

    # --- failures ---

    def _fail(
        self, event: RecordedEvent, error: Exception, attempts: int, crashes: int = 0
    ) -> bool:
        """Records the failure and goes on behind the event. False when it was one too many."""
        lease = self.lease
        self.is_clean = False
        self.handling.tell(event, error, attempts)
        retry = self.subscription.retry
        counts = self.subscription.backs_off and not retry.is_final(error)
        streak = lease.failure_streak + counts
        is_outage = (
            counts
            and (lease.outages > 0 or streak >= OUTAGE_STREAK)
            and not (crashes or self.ignores_delays)
        )
        if is_outage and not lease.outages:
            self._back_off(error)
            return False
        is_used_up = retry.is_used_up(error, attempts)
        if self.subscription.on_failure is OnFailure.STOP and is_used_up:
            failures.stop(self.subscription, event, error)
            return False
        added = {
            "failed_attempts": 1,
            "timeouts": int(isinstance(error, HandlerTimeout)),
            "crashes": crashes,
        }
        with transaction.atomic(using=lease.using):
            row = failures.record(self.subscription, event, lease.number, error, attempts)
            added["dead_letters"] = int(row.status == FailedEvent.Status.DEAD)
            outages = lease.outages if is_outage else 0
            lease.checkpoint(event.position, failure_streak=streak, outages=outages, added=added)
        lease.took_checkpoint(event.position, failure_streak=streak, outages=outages)
        self.seen = event.position
        if row.blocks:
            self._blocked.add(event.stream)
        if is_outage:
            # One event for each time of backing off, so that no event can keep the others back for
            # ever: another one tells next time whether the outage is over.
            self._back_off(error)
        return self.handling.after_failure(row, error) and not is_outage

    def _back_off(self, error: Exception) -> None:
        """An outage: it isn't the events."""
        seconds = OUTAGE_BACK_OFF.delay_seconds(self.lease.outages + 1)
        self.lease.failure_streak = max(self.lease.failure_streak, OUTAGE_STREAK)
        self.lease.back_off(seconds)
        logger.error(
            "%s meets an outage, and backs off for %.1f s: %r", self.subscription, seconds, error
        )

    def _wait_for_the_end_of(self, outage: Outage) -> None:
        """The handler says itself that it isn't the event, which therefore isn't counted as tried,
        let alone as failed."""
        self.tally.outages += 1
        self.tally.first_error = self.tally.first_error or outage
        self._back_off(outage)

    # --- retries ---

    def _retry_due(self, up_to: int) -> Ending:
        if self.is_clean:
            return Ending.CAUGHT_UP
        retries = Retries(
            handling=self.handling,
            store=self.store,
            blocked=self._blocked,
            seen=self.seen,
            is_stopping=self.is_stopping,
            ignores_delays=self.ignores_delays,
        )
        try:
            return retries.make()
        except Outage as error:
            self._wait_for_the_end_of(error)
            return Ending.HALTED
