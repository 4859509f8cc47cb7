"""How each subscription is doing, as values: read by `manage.py subscriptions`, the admin, and what
Prometheus scrapes (`prometheus`).

Counters are those of the lanes' rows, so they are of all workers, since the subscription's first
run. Reading them writes nothing and takes no lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, Min, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from ..bus.patterns import Criterion
from ..bus.subscription import Delivery, Subscription, subscriptions
from ..conf import events_settings
from ..models import FailedEvent, Lane, SubscriptionState
from ..store.base import EventStore
from ..store.configured import event_store
from ..store.source import EventSource
from .backlog import FAR, NEAR, Lag, Place, Reach, lags
from .failures import failed_events
from .sources import source_of

#: Where counts stop that are asked for in brief.
MAX_COUNT = 1_000
_COUNT_UP_TO = """(
    SELECT count(*) FROM (
        SELECT 1 FROM events_failed
        WHERE subscription_id = events_subscriptions.name AND status = %s
        LIMIT %s
    ) AS counted
)"""


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


def snapshot(
    *names: str, store: EventStore | None = None, in_brief: bool = False
) -> list[SubscriptionMetrics]:
    """Of the subscriptions with these names, or of all that are in the code or stored, by name.

    In brief, as pages need it, it costs the same however much has failed or is behind: counts of
    failures stop at `MAX_COUNT`, and only a part of a long backlog is looked through.
    """
    store = store or event_store()
    now, head = timezone.now(), store.high_water_mark()
    states, lanes = _states(names), _lane_rows(names)
    in_code = {each.name: each for each in subscriptions if not names or each.name in names}
    reach = NEAR if in_brief else FAR
    fed = {name: source_of(name) for name, code in in_code.items() if code.queue is not None}
    heads = {name: source.high_water_mark() for name, source in fed.items()}
    of_log = {name: rows for name, rows in lanes.items() if name not in fed}
    behind = _lags(store, of_log, in_code, head, reach)
    for name, source in fed.items():
        behind |= _lags(source, {name: lanes.get(name, [])}, in_code, heads[name], reach)
    failed = _capped_counts(list(states)) if in_brief else _failed_counts(names)
    found = []
    for name in sorted({*states, *in_code}):
        code, state = in_code.get(name), states.get(name)
        stored_code = code if code and code.is_stored else None
        is_known = code is not None and (state is None or code.is_stored)
        found.append(
            SubscriptionMetrics(
                name=name,
                delivery=code.delivery.value if code and is_known else Delivery.DURABLE.value,
                has_code=stored_code is not None or state is None,
                status=state.status if state else ("new" if stored_code else "active"),
                reason=state.reason if state else "",
                lanes=tuple(_measured(row, behind[row.pk], now) for row in lanes.get(name, ())),
                head=heads.get(name, head),
                measured_at=now,
                **failed.get(name, {}),
            )
        )
    return found


def _states(names: Sequence[str]) -> dict[str, SubscriptionState]:
    rows = SubscriptionState.objects.using(events_settings().database)
    return {row.pk: row for row in (rows.filter(pk__in=names) if names else rows.all())}


def _lane_rows(names: Sequence[str]) -> dict[str, list[Lane]]:
    rows = Lane.objects.using(events_settings().database)
    found: dict[str, list[Lane]] = {}
    for row in rows.filter(subscription__in=names) if names else rows.all():
        found.setdefault(row.subscription_id, []).append(row)
    return {name: sorted(lanes, key=lambda row: row.number) for name, lanes in found.items()}


def _lags(
    source: EventSource,
    lanes: Mapping[str, Sequence[Lane]],
    in_code: Mapping[str, Subscription],
    head: int,
    reach: Reach,
) -> dict[int, Lag]:
    """By the lane's key. Without code, nobody knows which events it is for: then all are."""
    places: dict[int, Place] = {}
    for name, rows in lanes.items():
        code = in_code.get(name)
        is_for = code.criteria if code and code.is_stored else (Criterion(None, None),)
        for row in rows:
            places[row.pk] = Place(
                criteria=is_for,
                lane=(row.number, len(rows)) if len(rows) > 1 else None,
                position=row.position,
            )
    return dict(zip(places, lags(source, list(places.values()), head, reach), strict=True))


def _failed_counts(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = failed_events().filter(subscription__in=names) if names else failed_events()
    counted = (
        rows.values("subscription_id")
        .order_by()
        .annotate(
            retrying=Count("pk", filter=Q(status=FailedEvent.Status.RETRYING)),
            parked=Count("pk", filter=Q(status=FailedEvent.Status.DEAD)),
            oldest_failed_at=Min("first_failed_at"),
        )
        .values_list("subscription_id", "retrying", "parked", "oldest_failed_at")
    )
    return {
        name: {"retrying": retrying, "parked": parked, "oldest_failed_at": oldest}
        for name, retrying, parked, oldest in counted
    }


def _capped_counts(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Short ranges of an index, one a subscription and status."""
    if not names:
        return {}
    using = events_settings().database
    rows = SubscriptionState.objects.using(using).filter(pk__in=names).order_by()
    statuses = {"retrying": FailedEvent.Status.RETRYING, "parked": FailedEvent.Status.DEAD}
    counted = rows.annotate(
        **{
            name: RawSQL(_COUNT_UP_TO, (status.value, MAX_COUNT), output_field=IntegerField())
            for name, status in statuses.items()
        }
    )
    return {
        name: {"retrying": retrying, "parked": parked}
        for name, retrying, parked in counted.values_list("pk", *statuses)
    }


def _measured(row: Lane, lag: Lag, now: datetime) -> LaneMetrics:
    return LaneMetrics(
        number=row.number,
        position=row.position,
        lag=lag.positions,
        oldest_recorded_at=lag.oldest_recorded_at,
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
