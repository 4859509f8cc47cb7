"""Everything that is behind, handled here and now: for tests, shells and rebuilds."""

from __future__ import annotations

from collections.abc import Sequence

from ..bus.subscription import Delivery, Subscription, subscriptions
from ..exceptions import DrainFailed
from ..store.base import EventStore
from ..store.configured import event_store
from .chores import do_chores
from .outcome import Tally
from .worker import Worker


def drain(
    *names: str,
    raise_errors: bool = True,
    retries: bool = False,
    store: EventStore | None = None,
) -> Tally:
    """Has all durable subscriptions, or those named, handle their events until nothing is left,
    with the events that their handlers append. Never sleeps. Returns what was done.

    A handler's failure raises DrainFailed in the end, with the first error as its cause. Retries
    are left to their time, unless `retries` has them made at once until they succeed or are dead
    letters.
    """
    worker = Worker(store=store or event_store(), only=_chosen(names), ignores_delays=retries)
    while worker.turn() or (not names and do_chores()):
        pass
    worker.settle()
    failed = worker.tally.failed + worker.tally.outages
    if failed and raise_errors:
        raise DrainFailed(failed) from worker.tally.first_error
    return worker.tally


def _chosen(names: Sequence[str]) -> list[Subscription] | None:
    if not names:
        return None
    chosen = [subscriptions.get(name) for name in names]
    return [each for each in chosen if each.delivery is Delivery.DURABLE]
