"""Finds the lanes that have something to do, and has it done; sleeps as long as there is nothing.

While it is awake it asks the database for the high-water mark every few milliseconds, which takes
no lock and no write. A lane is leased only for events that its subscription is for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from django.db import Error, connections
from django.db.models import Q
from django.db.models.functions import Now

from ..bus.subscription import Delivery, Subscription, subscriptions
from ..conf import events_settings
from ..exceptions import LeaseLost
from ..models import Event, FailedEvent, Lane, SubscriptionState
from ..recorded_event import RecordedEvent
from ..store.configured import event_store
from ..store.source import EventSource
from . import lanes
from .chores import do_chores
from .engine import LaneRun, never
from .failures import failed_events
from .known_lane import KnownLane
from .lanes import Lease
from .outcome import Ending, Tally

logger = logging.getLogger(__name__)

#: How long it sleeps when there is nothing to do: longer with each time, up to the second one.
SHORTEST_NAP_SECONDS = 0.004
LONGEST_NAP_SECONDS = 0.25
#: So long without work is a pause in the traffic: naps get longer.
PAUSE_SECONDS = 1.0
#: What operators changed, and which retries are due, is looked up this often.
REFRESH_SECONDS = 0.5
#: So long at most, subscriptions wait for others of higher priority, one event of which can lead to
#: the next.
PATIENCE_SECONDS = 0.2
#: A lane that another worker has is left alone for this long.
BUSY_SECONDS = 0.02
#: A checkpoint that is so far behind events which aren't for it is moved.
LAZY_CHECKPOINT = 10_000
#: More new events, or positions, than this aren't looked through for who they are for.
MAX_PEEK = 200
MAX_PEEK_POSITIONS = 2_000
RECONNECT_SECONDS = 1.0
#: A lane at which a turn has failed is left alone for so long.
UNABLE_SECONDS = 2 * RECONNECT_SECONDS


@dataclass(slots=True)
class Worker:
    """Handles what is behind of durable subscriptions: all of this process, or the given ones."""

    store: EventSource = field(default_factory=event_store)
    only: Sequence[Subscription] | None = None
    is_stopping: Callable[[], bool] = never
    sleep: Callable[[float], object] = time.sleep
    ignores_delays: bool = False
    tally: Tally = field(default_factory=Tally)
    _lanes: dict[tuple[str, int], KnownLane] = field(default_factory=dict)
    _refreshed_at: float = float("-inf")
    _served_all_at: float = float("-inf")
    _peeked: int = 0

    def run(self, *, idle_seconds: float | None = None) -> None:
        """Until it is asked to stop, or there was nothing to do for so long."""
        nap, last_work = SHORTEST_NAP_SECONDS, monotonic()
        while not self.is_stopping():
            idle = monotonic() - last_work
            is_over = idle_seconds is not None and idle >= idle_seconds
            is_pause = is_over or idle > PAUSE_SECONDS
            try:
                worked = self.turn()
                if is_pause and not worked:
                    self.settle()
            except Exception:
                logger.exception("A turn has failed; trying again in %s s", RECONNECT_SECONDS)
                _drop_broken_connection()
                self._refreshed_at = float("-inf")
                self.sleep(RECONNECT_SECONDS)
                continue
            if worked:
                nap, last_work = SHORTEST_NAP_SECONDS, monotonic()
            elif is_over:
                return
            else:
                self.sleep(nap)
                if is_pause:
                    nap = min(nap * 1.5, LONGEST_NAP_SECONDS)

    def turn(self) -> bool:
        """One look at everything. Whether there was something to do."""
        is_time_for_chores = self._refresh()
        worked = False
        mark = self.store.high_water_mark()
        self._peek(mark)
        priority = None
        for lane in self._waiting_lanes(mark):
            if self.is_stopping():
                break
            is_less_urgent = priority is not None and lane.subscription.priority < priority
            if is_less_urgent and self._is_early() and not is_time_for_chores:
                return True  # what was appended meanwhile may be more urgent
            if self._run(lane, mark):
                worked, priority = True, lane.subscription.priority
        else:
            self._served_all_at = monotonic()
        # After the events: an answer that is in the log already counts before a time-out.
        if is_time_for_chores and self.only is None and not self.is_stopping():
            worked = do_chores() or worked
        return worked

    def settle(self) -> None:
        """Moves the checkpoints behind what was passed over: now that there is time for it, whoever
        looks at them shall see that nothing is behind."""
        for lane in self._lanes.values():
            if lane.seen > lane.checkpoint and not lane.backlog:
                self._run(lane, lane.seen)

    def is_held_back(self) -> bool:
        """Events are there, but not final yet: behind an append that is still in flight, and that
        will wake nobody up if it is rolled back."""
        mark = self.store.high_water_mark()
        events = Event.objects.using(events_settings().database)
        return events.filter(position__gt=mark).exists()

    def _is_early(self) -> bool:
        """For subscriptions of lower priority than others that have had something to do."""
        return monotonic() - self._served_all_at < PATIENCE_SECONDS

    # --- what there is to do ---

    def _refresh(self) -> bool:
        """Now and then: what operators changed, which retries are due. Whether it was time."""
        if monotonic() - self._refreshed_at < REFRESH_SECONDS and not self.ignores_delays:
            return False
        self._refreshed_at = monotonic()
        self._look_at_lanes()
        return True

    def _look_at_lanes(self) -> None:
        wanted = subscriptions.of(Delivery.DURABLE) if self.only is None else list(self.only)
        lanes.ensure_rows(wanted, self.store)
        rows: dict[str, list[Lane]] = {}
        active = lanes.lanes_in_log_database().filter(
            subscription__status=SubscriptionState.Status.ACTIVE
        )
        for row in active.select_related("subscription").order_by("number"):
            rows.setdefault(row.subscription_id, []).append(row)
        due = self._lanes_with_due_retries()
        known, self._lanes = self._lanes, {}
        for subscription in wanted:
            of_subscription = rows.get(subscription.name, [])
            for row in of_subscription:
                key = (subscription.name, row.number)
                lane = known.get(key)
                if lane is None or row.subscription.changed_at != lane.changed_at:
                    lane = KnownLane(
                        subscription=subscription,
                        number=row.number,
                        of=len(of_subscription),
                        seen=row.position,
                        checkpoint=row.position,
                        changed_at=row.subscription.changed_at,
                    )
                if row.position != lane.checkpoint:
                    lane.backlog = None
                lane.seen, lane.checkpoint = max(lane.seen, row.position), row.position
                lane.has_due_retries = key in due
                if row.attempted_to is not None:
                    # Unfinished, maybe by a worker that is gone.
                    lane.seen, lane.backlog = row.position, None
                self._lanes[key] = lane

    def _lanes_with_due_retries(self) -> set[tuple[str, int]]:
        rows = failed_events().filter(status=FailedEvent.Status.RETRYING, message=None)
        if not self.ignores_delays:
            rows = rows.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=Now()))
        return set(rows.values_list("subscription_id", "lane").distinct())

    def _peek(self, mark: int) -> None:
        """Reads the newest events once, for all lanes that have seen the others. Those that they
        aren't for have seen them, then, without a lease."""
        if mark < self._peeked:
            # By an append that had looked where the log ends before others moved that.
            for lane in self._lanes.values():
                lane.backlog = None
        current = [lane for lane in self._lanes.values() if lane.is_known_up_to(self._peeked)]
        if current and mark > self._peeked:
            events = self._new_events(current, self._peeked, mark)
            for lane in current:
                lane.take(events, mark)
        self._peeked = mark  # last: what couldn't be read is read again

    def _new_events(
        self, current: Sequence[KnownLane], first: int, mark: int
    ) -> list[RecordedEvent] | None:
        """None if they are too many."""
        if mark - first > MAX_PEEK_POSITIONS:
            return None
        criteria = {criterion for lane in current for criterion in lane.subscription.criteria}
        events = self.store.read_backlog(
            tuple(criteria), after=first, up_to=mark, limit=MAX_PEEK + 1
        )
        return events if len(events) <= MAX_PEEK else None

    def _waiting_lanes(self, mark: int) -> list[KnownLane]:
        """By priority of their subscriptions."""
        now = monotonic()
        return [
            lane
            for lane in self._lanes.values()
            if lane.not_before <= now
            and (
                lane.seen < mark
                or lane.has_due_retries
                or lane.seen - lane.checkpoint > LAZY_CHECKPOINT
            )
        ]

    # --- doing it ---

    def _run(self, lane: KnownLane, mark: int) -> bool:
        lease = self._acquire(lane)
        backlog, lane.backlog = lane.backlog, None
        if lease is None:
            lane.not_before = monotonic() + BUSY_SECONDS
            return False
        is_where_it_was = lease.was_begun_by_claim or lease.position == lane.checkpoint
        run = LaneRun(
            subscription=lane.subscription,
            lease=lease,
            store=self.store,
            is_stopping=self.is_stopping,
            ignores_delays=self.ignores_delays,
            backlog=backlog if is_where_it_was else None,
            passed_over=lane.seen if is_where_it_was and backlog else 0,
            is_clean=lease.failed_attempts == lane.clean_at,
            tally=self.tally,
        )
        before = self.tally.handled + self.tally.failed
        try:
            ending = run.run(mark)
        except LeaseLost as error:
            logger.warning("%s", error)
            return False
        except BaseException:
            # If it is this lane that can't be run, the others can.
            lane.not_before = monotonic() + UNABLE_SECONDS
            with suppress(Error):
                lease.abandon()
            raise
        if ending is Ending.CAUGHT_UP:
            lane.seen = run.seen
        lease.release(run.seen)
        lane.checkpoint, lane.has_due_retries = run.seen, False
        lane.clean_at = lease.failed_attempts if run.is_clean else None
        return self.tally.handled + self.tally.failed > before

    def _acquire(self, lane: KnownLane) -> Lease | None:
        acquire = partial(
            lanes.acquire,
            lane.subscription,
            lane.number,
            lane.of,
            ignores_back_off=self.ignores_delays,
        )
        attempt = lane.first_attempt()
        lease = acquire(attempt=attempt) if attempt else None
        return lease or acquire()


def _drop_broken_connection() -> None:
    connection = connections[events_settings().database]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
