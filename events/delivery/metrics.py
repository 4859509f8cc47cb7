"""How each subscription is doing, as values: read by `manage.py subscriptions`, the admin, and what
Prometheus scrapes (`prometheus`).

Counters are those of the lanes' rows, so they are of all workers, since the subscription's first
run. Reading them writes nothing and takes no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone

from ..bus.patterns import Criterion
from ..bus.subscription import Delivery, Subscription, subscriptions
from ..conf import events_settings
from ..models import FailedEvent, Lane, SubscriptionState
from ..store.base import EventStore
from ..store.configured import event_store
from ..store.source import EventSource
from .failures import failed_events
from .sources import source_of

#: Positions that are looked through for the oldest event a lane has to handle, at once and in all.
_WINDOW = 200_000
_MAX_WINDOWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneMetrics:
    number: int
    #: All events up to here are handled, or recorded as failed.
    position: int
    #: From the oldest event that it has to handle up to the head, in positions of the log: events
    #: among them that aren't for it count, too. 0 where it has nothing to do.
    lag: int
    #: When that event was recorded. None without lag, or where it is further away than is looked.
    oldest_recorded_at: datetime | None
    #: Host and process that have it now, or had it last.
    owner: str
    is_leased: bool
    backs_off_until: datetime | None
    handled: int
    failed_attempts: int
    timeouts: int
    crashes: int
    dead_letters: int
    handler_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMetrics:
    """Of deliveries other than durable, only the name is known."""

    name: str
    delivery: str
    #: Whether a subscription of this name is in the code of this process.
    has_code: bool
    #: "active", "paused", "stopped"; "new" before its first run.
    status: str
    reason: str = ""
    lanes: tuple[LaneMetrics, ...] = ()
    #: Up to where the log is final.
    head: int = 0
    measured_at: datetime
    #: Failed events that wait for their next attempt, or for their turn behind another one.
    retrying: int = 0
    #: Dead letters: failed events that wait for an operator.
    parked: int = 0
    oldest_failed_at: datetime | None = None

    @property
    def position(self) -> int | None:
        """Of the lane that is furthest behind. None before the first run."""
        return min((lane.position for lane in self.lanes), default=None)

    @property
    def lag(self) -> int | None:
        return max((lane.lag for lane in self.lanes), default=None)

    @property
    def lag_seconds(self) -> float | None:
        """Age of the oldest event that isn't handled; failed ones are counted apart. None where
        it isn't known."""
        if self.lag == 0:
            return 0.0
        moments = [lane.oldest_recorded_at for lane in self.lanes if lane.oldest_recorded_at]
        if not moments:
            return None
        return max(0.0, (self.measured_at - min(moments)).total_seconds())

    @property
    def backs_off_until(self) -> datetime | None:
        return max(
            (lane.backs_off_until for lane in self.lanes if lane.backs_off_until), default=None
        )

    @property
    def handled(self) -> int:
        return sum(lane.handled for lane in self.lanes)

    @property
    def failed_attempts(self) -> int:
        return sum(lane.failed_attempts for lane in self.lanes)

    @property
    def timeouts(self) -> int:
        return sum(lane.timeouts for lane in self.lanes)

    @property
    def crashes(self) -> int:
        """Attempts that ended with their process."""
        return sum(lane.crashes for lane in self.lanes)

    @property
    def dead_letters(self) -> int:
        """All that there ever were."""
        return sum(lane.dead_letters for lane in self.lanes)

    @property
    def handler_seconds(self) -> float:
        return sum(lane.handler_seconds for lane in self.lanes)

    @property
    def mean_handler_seconds(self) -> float | None:
        return self.handler_seconds / self.handled if self.handled else None

    def to_dict(self) -> dict[str, Any]:
        """Its fields and what follows from them. Moments are datetimes."""
        derived = [name for name, kind in vars(type(self)).items() if isinstance(kind, property)]
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


def snapshot(*names: str, store: EventStore | None = None) -> list[SubscriptionMetrics]:
    """Of the subscriptions with these names, or of all that are in the code or stored, by name."""
    store = store or event_store()
    using, now, head = events_settings().database, timezone.now(), store.high_water_mark()
    states = {state.pk: state for state in SubscriptionState.objects.using(using)}
    lanes: dict[str, list[Lane]] = {}
    for lane in Lane.objects.using(using).order_by("number"):
        lanes.setdefault(lane.subscription_id, []).append(lane)
    failed = _failed_counts()
    in_code = {each.name: each for each in subscriptions}
    found = []
    for name in sorted({*states, *in_code}):
        if names and name not in names:
            continue
        code, state = in_code.get(name), states.get(name)
        durable_code = code if code and code.is_stored else None
        rows = lanes.get(name, [])
        source, end = (store, head) if code is None or code.queue is None else _of_queue(name)
        is_known = code is not None and (state is None or code.is_stored)
        found.append(
            SubscriptionMetrics(
                name=name,
                delivery=code.delivery.value if code and is_known else Delivery.DURABLE.value,
                has_code=durable_code is not None or state is None,
                status=state.status if state else ("new" if durable_code else "active"),
                reason=state.reason if state else "",
                lanes=tuple(_lanes(rows, durable_code, source, end, now)),
                head=end,
                measured_at=now,
                **failed.get(name, {}),
            )
        )
    return found


def _of_queue(name: str) -> tuple[EventSource, int]:
    source = source_of(name)
    return source, source.high_water_mark()


def _failed_counts() -> dict[str, dict[str, Any]]:
    rows = failed_events().values("subscription_id").order_by()
    counted = rows.annotate(
        retrying=Count("pk", filter=Q(status=FailedEvent.Status.RETRYING)),
        parked=Count("pk", filter=Q(status=FailedEvent.Status.DEAD)),
        oldest_failed_at=Min("first_failed_at"),
    )
    return {
        row["subscription_id"]: {
            "retrying": row["retrying"],
            "parked": row["parked"],
            "oldest_failed_at": row["oldest_failed_at"],
        }
        for row in counted
    }


def _lanes(
    rows: Sequence[Lane],
    subscription: Subscription | None,
    store: EventSource,
    head: int,
    now: datetime,
) -> Iterable[LaneMetrics]:
    """Without code, nobody knows which events it is for: then all are."""
    criteria = subscription.criteria if subscription else (Criterion(None, None),)
    for row in rows:
        share = (row.number, len(rows)) if len(rows) > 1 else None
        lag, oldest = _lag(store, criteria, share, row.position, head)
        yield LaneMetrics(
            number=row.number,
            position=row.position,
            lag=lag,
            oldest_recorded_at=oldest,
            owner=row.owner,
            is_leased=bool(row.token and row.leased_until and row.leased_until > now),
            backs_off_until=row.not_before if row.not_before and row.not_before > now else None,
            handled=row.handled,
            failed_attempts=row.failed_attempts,
            timeouts=row.timeouts,
            crashes=row.crashes,
            dead_letters=row.dead_letters,
            handler_seconds=row.handler_seconds,
        )


def _lag(
    store: EventSource,
    criteria: Sequence[Criterion],
    lane: tuple[int, int] | None,
    position: int,
    head: int,
) -> tuple[int, datetime | None]:
    after = position
    for _ in range(_MAX_WINDOWS):
        if after >= head:
            return 0, None
        end = min(after + _WINDOW, head)
        oldest = store.read_backlog(criteria, after=after, up_to=end, limit=1, lane=lane)
        if oldest:
            return head - oldest[0].position + 1, oldest[0].recorded_at
        after = end
    return head - after, None
