"""Leases: which worker may handle the events of a lane.

A lease is a token in the lane's row. It ends when it is given back, when its time is over, and on
PostgreSQL as soon as the session of its owner is gone. That the owner still has it is checked by
each of its commits, in the commit: an owner that was only thought to be dead commits nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet

from ..bus.subscription import Start, Subscription
from ..conf import events_settings
from ..exceptions import LeaseLost
from ..models import Lane, SubscriptionState
from ..store.source import EventSource
from .claims import Attempt, Claim, is_free
from .lane_row import LaneRow

#: A lease's time beyond that of the work. Only a worker that hangs, or a database other than
#: PostgreSQL, makes others wait for its end.
LEASE_MARGIN_SECONDS = 15.0
LEASE_SECONDS_WITHOUT_TIMEOUT = 3600.0

_FREE = {"token": None, "leased_until": None, "owner_session": None}


def lanes_in_log_database() -> QuerySet[Lane]:
    return Lane.objects.using(events_settings().database)


def ensure_rows(subscriptions: Sequence[Subscription], store: EventSource) -> None:
    """Those that were never run before begin where they say."""
    using = events_settings().database
    states = SubscriptionState.objects.using(using)
    known = set(states.values_list("name", flat=True))
    for subscription in subscriptions:
        if subscription.name not in known:
            position = start_position(subscription.start, store)
            with transaction.atomic(using=using):
                _, is_new = states.get_or_create(name=subscription.name)
                if is_new:
                    numbers = range(subscription.lanes if subscription.is_in_streams else 0)
                    Lane.objects.using(using).bulk_create(
                        Lane(subscription_id=subscription.name, number=number, position=position)
                        for number in numbers
                    )


def start_position(start: Start | int, store: EventSource) -> int:
    """The checkpoint before the first event to be handled."""
    if start is Start.BEGINNING:
        return 0
    return store.high_water_mark() if start is Start.NOW else start - 1


@dataclass(slots=True, kw_only=True)
class Lease:
    """A lane in the hands of this worker, as its row stood after the last commit."""

    row: LaneRow
    subscription: str
    number: int
    #: Of how many.
    lanes: int
    seconds: float
    position: int
    attempted_to: int | None
    attempts: int
    failure_streak: int
    outages: int
    #: Of the lane, ever: as long as it stays, no other events have failed.
    failed_attempts: int
    #: The claim has begun the attempt. It may have seen the subscription as it was before an
    #: operator paused it, and the lane as it was after that: still to be confirmed.
    was_begun_by_claim: bool
    is_released: bool = False

    @property
    def using(self) -> str:
        return self.row.using

    def begin(self, attempted_to: int, *, passed_over: int) -> None:
        """Commits that the events up to there are about to be handled. Raises LeaseLost.

        With the checkpoint behind those passed over, whoever recovers from a crash can tell
        whether it was one event or several."""
        if self.was_begun_by_claim and attempted_to == self.attempted_to:
            return
        attempts = self.attempts + 1 if attempted_to == self.attempted_to else 1
        values = {"position": passed_over, "attempted_to": attempted_to, "attempts": attempts}
        self._change(values, from_now=self._for_longer, if_active=True)
        self.position = passed_over
        self.attempted_to, self.attempts = attempted_to, attempts

    def keep(self, passed_over: int) -> None:
        """For longer, with the checkpoint behind what was passed over. Raises LeaseLost."""
        self._change({"position": passed_over}, from_now=self._for_longer)
        self.position = passed_over

    def forget_attempt(self) -> None:
        """It was of several events, and says nothing about the last one of them."""
        self.attempted_to, self.attempts = None, 0
        self.was_begun_by_claim = False

    def hold(self) -> None:
        """In a transaction: it can be committed only as long as the lane is this worker's."""
        self._change({}, from_now=self._for_longer, if_active=True)

    def checkpoint(
        self,
        position: int,
        *,
        failure_streak: int = 0,
        outages: int = 0,
        added: Mapping[str, float] | None = None,
        releases: bool = False,
    ) -> None:
        """In the transaction of the effects: they are committed together. Raises LeaseLost.
        `added` goes to the lane's counters. With `releases` the lane is given back."""
        values = {
            "position": position,
            "attempted_to": None,
            "attempts": 0,
            "failure_streak": failure_streak,
            "outages": outages,
            **(_FREE if releases else {}),
        }
        self._change(
            values,
            added=added or {},
            from_now={"updated_at": 0} | ({} if releases else self._for_longer),
            # Where the claim may have seen the subscription as it was before an operator paused it,
            # and the lane as it was after that: this statement sees both as they are.
            if_active=self.was_begun_by_claim,
        )

    def took_checkpoint(
        self,
        position: int,
        *,
        failure_streak: int = 0,
        outages: int = 0,
        released: bool = False,
    ) -> None:
        """After the commit."""
        self.position, self.is_released = position, released
        self.forget_attempt()
        self.failure_streak, self.outages = failure_streak, outages

    def back_off(self, seconds: float) -> None:
        """Nothing is tried before this time is over."""
        self.outages += 1
        values = {
            "outages": self.outages,
            "failure_streak": self.failure_streak,
            "attempted_to": None,
            "attempts": 0,
        }
        self._change(values, from_now={"not_before": seconds})
        self.attempted_to, self.attempts = None, 0

    def abandon(self) -> None:
        """Gives the lane back as after a crash. The attempt counts: what ended it, such as a lost
        connection, may have been the event's doing, and would be again and again."""
        self.row.change(_FREE)

    def release(self, position: int) -> None:
        """Gives the lane back, with events passed over that it has nothing to do with."""
        if not self.is_released:
            self.row.change({**_FREE, "position": position, "attempted_to": None, "attempts": 0})

    def confirm(self) -> None:
        """Raises LeaseLost where the subscription is no longer active."""
        if self.was_begun_by_claim:
            self.hold()
            self.was_begun_by_claim = False

    @property
    def _for_longer(self) -> dict[str, float]:
        return {"leased_until": self.seconds}

    def _change(self, values: Mapping[str, Any], **options: Any) -> None:
        if not self.row.change(values, **options):
            raise LeaseLost(self.subscription, self.number)


def acquire(
    subscription: Subscription,
    number: int,
    lanes: int,
    *,
    ignores_back_off: bool = False,
    attempt: Attempt | None = None,
) -> Lease | None:
    """None where another worker has the lane, or it backs off, or the subscription isn't active, or
    the lane doesn't stand where the attempt says."""
    claim = Claim(
        using=events_settings().database,
        subscription=subscription.name,
        number=number,
        lanes=lanes,
        token=uuid4(),
        seconds=_lease_seconds(subscription),
        ignores_back_off=ignores_back_off,
        attempt=attempt,
    )
    row = claim.make()
    if row is None:
        return None
    lane_id, position, attempted_to, attempts, failure_streak, outages, failed_attempts = row
    return Lease(
        row=LaneRow(using=claim.using, pk=lane_id, token=claim.token),
        subscription=subscription.name,
        number=number,
        lanes=lanes,
        seconds=claim.seconds,
        position=position,
        attempted_to=attempted_to,
        attempts=attempts,
        failure_streak=failure_streak,
        outages=outages,
        failed_attempts=failed_attempts,
        was_begun_by_claim=attempt is not None,
    )


def take_back(subscription: str, numbers: Collection[int] | None = None) -> dict[int, int]:
    """For operators, in a transaction: who has these lanes, or any, commits nothing more in their
    name, and nobody gets them before the transaction ends. Returns their positions by number."""
    lanes = lanes_in_log_database().filter(subscription_id=subscription)
    if numbers is not None:
        lanes = lanes.filter(number__in=numbers)
    locked = lanes.select_for_update().order_by("number")
    positions = {row.number: row.position for row in locked}
    # Begun by a worker that lives: it is no crash that this never ends. A dead one's still is.
    free = lanes.filter(is_free(events_settings().database)).values_list("pk", flat=True)
    lanes.exclude(pk__in=list(free)).update(attempted_to=None, attempts=0)
    lanes.update(token=None, leased_until=None, owner_session=None)
    return positions


def _lease_seconds(subscription: Subscription) -> float:
    if subscription.timeout_seconds is None:
        return LEASE_SECONDS_WITHOUT_TIMEOUT
    return subscription.timeout_seconds + LEASE_MARGIN_SECONDS
