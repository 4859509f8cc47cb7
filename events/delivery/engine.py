"""Handles the events of one lane, from its checkpoint to the high-water mark.

A batch is one transaction. When that fails, its events are repeated one by one, each in its own,
so that only those which fail by themselves are recorded as failed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from time import monotonic, perf_counter

from django.db import Error, connections, transaction

from ..bus.retry import RetryPolicy
from ..bus.subscription import Effects, OnFailure, Subscription
from ..exceptions import HandlerDied, HandlerTimeout, LeaseLost
from ..models import FailedEvent
from ..recorded_event import RecordedEvent
from ..signals import event_dead_lettered, handler_failed
from ..store.base import EventStore
from ..streams import StreamName
from . import failures
from .calling import (
    BATCH_SECONDS,
    BATCH_SECONDS_OF_SINGLE_WRITER,
    handle_batch,
    handle_one,
)
from .lanes import Lease

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
#: Between a handler's time limit and that of its statements, where the first can't end the second.
STATEMENT_MARGIN_SECONDS = 0.25


class Ending(Enum):
    #: All events up to the mark.
    CAUGHT_UP = "caught up"
    #: Asked to stop, or out of time.
    STOPPED = "stopped"
    #: Backs off, or was stopped by its policy.
    HALTED = "halted"


@dataclass(slots=True)
class Tally:
    """What a run has done."""

    handled: int = 0
    #: Attempts.
    failed: int = 0
    dead_letters: int = 0
    first_error: BaseException | None = None


def never() -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class LaneRun:
    """One turn of this worker at a lane that it has leased."""

    subscription: Subscription
    lease: Lease
    store: EventStore
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
    _mark: int = 0
    _blocked: set[StreamName] = field(default_factory=set)
    _one_by_one_to: int = 0
    #: Looked through, up to here: the checkpoint follows lazily.
    seen: int = 0
    _kept_at: float = field(default_factory=monotonic)

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
        if event is not None and event.position == attempted_to:
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
        one_by_one = (
            self.subscription.effects is Effects.EXTERNAL
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
            with self._transaction():
                done = handle_batch(
                    self.subscription,
                    wanted,
                    budget_seconds=self._batch_seconds(),
                    is_stopping=self.is_stopping,
                    is_replay=self.is_replay,
                )
                last = wanted[done - 1] if done < len(wanted) else events[-1]
                position, releases = self._end_behind(last)
                added = {"handled": done, "handler_seconds": perf_counter() - started}
                lease.checkpoint(position, added=added, releases=releases)
        except Exception as error:
            self._raise_if_not_the_handlers(error)
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
            self._call(
                event, attempt=lease.attempts, finish=partial(self._checkpoint, event, started)
            )
        except Exception as error:
            self._raise_if_not_the_handlers(error)
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

    def _call(self, event: RecordedEvent, *, attempt: int, finish: Callable[[], object]) -> None:
        call = partial(
            handle_one, self.subscription, event, attempt=attempt, is_replay=self.is_replay
        )
        if self.subscription.effects is Effects.EXTERNAL:
            call()
            with transaction.atomic(using=self.lease.using):
                finish()
            return
        with self._transaction():
            call()
            finish()

    def _is_wanted(self, event: RecordedEvent) -> bool:
        if self._blocked and event.stream in self._blocked:
            return False
        return self.subscription.filter is None or bool(self.subscription.filter(event))

    # --- failures ---

    def _fail(
        self, event: RecordedEvent, error: Exception, attempts: int, crashes: int = 0
    ) -> bool:
        """Records the failure and goes on behind the event. False when it was one too many."""
        lease = self.lease
        self.is_clean = False
        self._tell(event, error, attempts)
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
        return self._after_failure(row, error) and not is_outage

    def _back_off(self, error: Exception) -> None:
        """An outage: it isn't the events."""
        seconds = OUTAGE_BACK_OFF.delay_seconds(self.lease.outages + 1)
        self.lease.failure_streak = max(self.lease.failure_streak, OUTAGE_STREAK)
        self.lease.back_off(seconds)
        logger.error(
            "%s fails for one stream after another, and backs off for %.1f s: %r",
            self.subscription,
            seconds,
            error,
        )

    def _after_failure(self, row: FailedEvent, error: BaseException) -> bool:
        if row.status != FailedEvent.Status.DEAD:
            return True
        self.tally.dead_letters += 1
        event_dead_lettered.send_robust(
            sender=FailedEvent, failed_event=row, subscription=self.subscription, error=error
        )
        return self.subscription.on_failure is not OnFailure.STOP

    def _tell(self, event: RecordedEvent, error: BaseException, attempt: int) -> None:
        logger.warning(
            "%s failed at %s of %s (position %d), attempt %d",
            self.subscription,
            event.event_type,
            event.stream,
            event.position,
            attempt,
            exc_info=error,
        )
        self.tally.failed += 1
        self.tally.first_error = self.tally.first_error or error
        handler_failed.send_robust(
            sender=type(self.subscription),
            subscription=self.subscription,
            event=event,
            error=error,
            attempt=attempt,
        )

    # --- retries ---

    def _retry_due(self, up_to: int) -> Ending:
        if self.is_clean:
            return Ending.CAUGHT_UP
        for row in failures.due(
            self.subscription, self.lease.number, also_later=self.ignores_delays
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
        if failures.is_used_up(self.subscription, row):
            return self._give_up(row, HandlerDied(), crashes=1), None
        event = failures.event_of(row, self.store)
        try:
            return self._attempt(row, event)
        except LeaseLost:
            failures.forget_attempt(row)
            raise

    def _attempt(self, row: FailedEvent, event: RecordedEvent) -> tuple[bool, FailedEvent | None]:
        lease, started = self.lease, perf_counter()
        with transaction.atomic(using=lease.using):
            # The lane's row last, as everywhere: operators lock in this order, too.
            failures.count_attempt(self.subscription, row)
            lease.hold()
        successor: list[FailedEvent | None] = []

        def finish() -> None:
            # The checkpoint catches up with what was passed over because the stream was blocked:
            # from now on, only what lies behind it will be.
            successor.append(failures.resolve(self.subscription, row, self.store, self.seen))
            added = {"handled": 1, "handler_seconds": perf_counter() - started}
            lease.checkpoint(self.seen, added=added)

        try:
            if self.subscription.filter is None or self.subscription.filter(event):
                self._call(event, attempt=row.attempts, finish=finish)
            else:
                with transaction.atomic(using=lease.using):
                    finish()
        except Exception as error:
            self._raise_if_not_the_handlers(error)
            self._tell(event, error, row.attempts)
            return self._give_up(row, error), None
        lease.took_checkpoint(self.seen)
        self.tally.handled += 1
        if row.blocks and successor[0] is None:
            self._blocked.discard(event.stream)
        return True, successor[0]

    def _give_up(self, row: FailedEvent, error: Exception, crashes: int = 0) -> bool:
        """For now, or for good."""
        lease, blocked = self.lease, row.blocks
        with transaction.atomic(using=lease.using):
            failures.note_failure(self.subscription, row, error)
            added = {
                "failed_attempts": 1,
                "timeouts": int(isinstance(error, HandlerTimeout)),
                "crashes": crashes,
                "dead_letters": int(row.status == FailedEvent.Status.DEAD),
            }
            gives_way = blocked and not row.blocks
            successor = (
                failures.succeed(self.subscription, row, self.store, self.seen)
                if gives_way
                else None
            )
            lease.checkpoint(self.seen, failure_streak=lease.failure_streak, added=added)
        lease.took_checkpoint(self.seen, failure_streak=lease.failure_streak)
        if gives_way and successor is None:
            self._blocked.discard(StreamName(row.aggregate_type, row.aggregate_id))
        return self._after_failure(row, error)

    # --- transactions ---

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Opened outside of the time limit, which could hit a commit halfway otherwise.

        What a handler left to be done after the commit can't undo it by raising: repeated, the
        effects would be had twice."""
        using, timeout = self.lease.using, self.subscription.timeout_seconds
        committed: list[bool] = []
        try:
            with transaction.atomic(using=using):
                transaction.on_commit(partial(committed.append, True), using=using)
                if timeout is not None and _statements_are_not_interrupted(using):
                    with connections[using].cursor() as cursor:
                        # A little later, so that it is known for what it is: a time-out.
                        milliseconds = int((timeout + STATEMENT_MARGIN_SECONDS) * 1000)
                        cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")
                yield
        except Exception:
            if not committed:
                raise
            logger.exception("%s has failed after its commit", self.subscription)

    def _batch_seconds(self) -> float:
        features = connections[self.lease.using].features
        return BATCH_SECONDS if features.has_select_for_update else BATCH_SECONDS_OF_SINGLE_WRITER

    def _raise_if_not_the_handlers(self, error: Exception) -> None:
        """A lost lease, or a lost connection, is for the worker."""
        if isinstance(error, LeaseLost):
            raise error
        if isinstance(error, Error) and not connections[self.lease.using].is_usable():
            raise error


def _statements_are_not_interrupted(using: str) -> bool:
    """Outside of the main thread, a limit strikes when a statement has ended (see `timeouts`)."""
    return (
        connections[using].vendor == "postgresql"
        and threading.current_thread() is not threading.main_thread()
    )
