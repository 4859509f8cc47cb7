"""A projection's rows made anew from the whole log, while the old ones stay readable.

The events are handled by the engine, for a subscription of the rebuild's own, into tables of its
own: each batch and its checkpoint are one commit, so it can be interrupted and goes on. In the end
one transaction catches up with the log and replaces the rows; after it, the projection's own
subscription goes on from there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from time import monotonic

from django.db import connections, transaction
from django.db.models import Max
from django.db.models.functions import Now

from ..bus.retry import RetryPolicy
from ..bus.subscription import Delivery, OnFailure, Start, Subscription
from ..conf import events_settings
from ..exceptions import RebuildFailed, RebuildRunning
from ..garbage import rarely_collected
from ..models import Event, FailedEvent, Lane, SubscriptionState
from ..projections import DeclaredProjection
from ..store.base import EventStore
from ..store.configured import event_store
from . import lanes, shadow_tables
from .engine import LaneRun
from .outcome import Ending, Tally

#: Called with the position that is reached, and the one that is to be.
Progress = Callable[[int, int], object]

#: So close to the end that the rest fits into the last transaction, which others wait for.
_CLOSE = 1_000
_BATCH_SIZE = 10_000
#: Where nobody else can write meanwhile.
_BATCH_SIZE_OF_SINGLE_WRITER = 2_000
_BATCHES_BETWEEN_NOTES = 2
#: Of a batch.
_TIMEOUT_SECONDS = 600.0


def _tell_nobody(at: int, of: int) -> None:
    pass


class Rebuild:
    """One rebuild; call `run` again after an interruption or a failure."""

    def __init__(self, declared: DeclaredProjection, store: EventStore | None = None) -> None:
        self._declared = declared
        self._store = store or event_store()
        self._using = events_settings().database
        self._shadows = shadow_tables.shadows_of(declared.models)
        self._subscription = _subscription(declared, self._shadows)

    def run(self, *, restart: bool = False, progress: Progress = _tell_nobody) -> Tally:
        """Raises RebuildFailed with the handler's error as its cause, or RebuildRunning."""
        self.prepare(restart=restart)
        tally, reached = Tally(), 0
        with rarely_collected():
            while (mark := self._store.high_water_mark()) - reached > _CLOSE:
                reached = self._catch_up(mark, tally, progress)
            with transaction.atomic(using=self._using):
                self._replace(tally)
        shadow_tables.drop_tables(list(self._shadows.values()), self._using)
        progress(mark, mark)
        return tally

    def advance(self, seconds: float, *, finish: Callable[[], object]) -> tuple[int, int]:
        """As `run`, for about so long. Returns the position that is reached, and the one that is
        to be: call it again until they are equal. `finish` is called in the transaction that
        replaces the rows, before it does; what it raises is the end of it."""
        tally, mark = Tally(), self._store.high_water_mark()
        reached = self._catch_up(mark, tally, _tell_nobody, end=monotonic() + seconds)
        if mark - reached > _CLOSE:
            return reached, mark
        with transaction.atomic(using=self._using):
            finish()
            self._replace(tally)
        shadow_tables.drop_tables(list(self._shadows.values()), self._using)
        return mark, mark

    def abandon(self) -> None:
        """Removes what there is of it; the rows stay as they were. In the caller's transaction.
        Whoever is in the middle of it commits nothing more."""
        SubscriptionState.objects.using(self._using).filter(name=self._subscription.name).delete()
        shadow_tables.drop_tables(list(self._shadows.values()), self._using)

    @property
    def _state(self) -> SubscriptionState | None:
        states = SubscriptionState.objects.using(self._using)
        return states.filter(name=self._subscription.name).first()

    @property
    def is_prepared(self) -> bool:
        return self._state is not None

    def prepare(self, *, restart: bool) -> None:
        """Before `advance`, outside of a transaction, and by one process at a time."""
        state = self._state
        if state is not None and restart:
            state.delete(using=self._using)
            state = None
        if self._declared.subscription.delivery is Delivery.DURABLE:
            lanes.ensure_rows([self._declared.subscription], self._store)
        if state is None:
            shadow_tables.create_tables(list(self._shadows.values()), self._using)
            lanes.ensure_rows([self._subscription], self._store)
        else:  # the event at which it stopped is tried again
            state.status = SubscriptionState.Status.ACTIVE
            state.save(using=self._using)

    def _catch_up(
        self,
        up_to: int,
        tally: Tally,
        progress: Progress,
        end: float = float("inf"),
    ) -> int:
        """The position that is reached. In steps, so that there is something to report."""
        lease = lanes.acquire(self._subscription, 0, 1, ignores_back_off=True)
        if lease is None:
            raise self._not_free()
        began_at = lease.position
        run = LaneRun(
            subscription=self._subscription,
            lease=lease,
            store=self._store,
            # Not before it has got on.
            is_stopping=lambda: run.seen > began_at and monotonic() >= end,
            is_replay=True,
            ignores_delays=True,
            tally=tally,
        )
        run.seen = began_at
        step = _BATCHES_BETWEEN_NOTES * self._subscription.batch_size
        try:
            while run.seen < up_to:
                ending = run.run(min(run.seen + step, up_to))
                if ending is Ending.STOPPED:
                    return run.seen
                if ending is Ending.HALTED:
                    raise RebuildFailed(self._declared.name, run.seen) from tally.first_error
                progress(run.seen, up_to)
        finally:
            lease.release(run.seen)
        return max(run.seen, up_to)

    def _not_free(self) -> RebuildFailed | RebuildRunning:
        """Whoever met the failure may have died before anybody was told."""
        name, state = self._declared.name, self._state
        if state is None or state.status != SubscriptionState.Status.STOPPED:
            return RebuildRunning(name)
        [lane] = state.lanes.using(self._using).all()
        return RebuildFailed(name, lane.position, state.reason)

    def _replace(self, tally: Tally) -> None:
        # Waits for whoever is writing to them, and lets nobody begin to. Before the lanes are
        # locked: a worker has the rows first, too, and its lane in the end.
        shadow_tables.lock_tables(self._declared.models, self._using)
        rows = Lane.objects.using(self._using).filter(subscription_id=self._declared.name)
        if self._declared.subscription.delivery is Delivery.INLINE:
            # An event is visible now if and only if its effects are in the rows: not by its
            # position, which can be lower than that of an event not committed yet.
            last = Event.objects.using(self._using).aggregate(last=Max("position"))["last"] or 0
        else:
            taken = list(rows.select_for_update())
            last = max([self._store.high_water_mark(), *(lane.position for lane in taken)])
        self._catch_up(last, tally, _tell_nobody)
        shadow_tables.replace_rows(self._shadows, self._using)
        rows.update(position=last, token=None, attempted_to=None, not_before=None, outages=0)
        FailedEvent.objects.using(self._using).filter(subscription_id=self._declared.name).delete()
        states = SubscriptionState.objects.using(self._using)
        states.filter(name=self._declared.name).update(changed_at=Now())
        states.filter(name=self._subscription.name).delete()


def _batch_size() -> int:
    features = connections[events_settings().database].features
    return _BATCH_SIZE if features.has_select_for_update else _BATCH_SIZE_OF_SINGLE_WRITER


def _subscription(
    declared: DeclaredProjection, shadows: dict[shadow_tables.Model, shadow_tables.Model]
) -> Subscription:
    projection = declared.projection_class(shadows)
    return dataclasses.replace(
        declared.subscription,
        name=f"{declared.name}~rebuild",
        handler=projection.project_batch,
        delivery=Delivery.DURABLE,
        start=Start.BEGINNING,
        lanes=1,
        in_batches=True,
        batch_size=_batch_size(),
        timeout_seconds=_TIMEOUT_SECONDS,
        retry=RetryPolicy(attempts=1),
        on_failure=OnFailure.STOP,
    )
