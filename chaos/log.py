"""What the suites with a log of carts have in common: events are appended while workers are killed,
and in the end each subscription must have had each event once."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any, Protocol

from events.models import AggregateVersion
from events.store.configured import event_store
from tests.effects.models import Effect
from tests.factories import cart, items

from .report import Outcome


class Plan(Protocol):
    @property
    def kills(self) -> int: ...
    @property
    def events(self) -> int: ...
    @property
    def writers(self) -> int: ...
    @property
    def streams(self) -> int: ...
    @property
    def events_an_append(self) -> int: ...
    @property
    def seed(self) -> int: ...


def append_in_step(plan: Plan, number: int, kills: Any) -> int:
    """The share of one of the writers, spread over the time that the kills take. How many that is.
    Runs in a process of its own."""
    store, chance = event_store(), random.Random(plan.seed * 100 + number)
    share, appended = plan.events // plan.writers, 0
    while appended < share:
        if appended > share * (kills.value + 2) / plan.kills:
            time.sleep(0.005)
            continue
        count = min(chance.randint(1, plan.events_an_append), share - appended)
        store.append(cart(chance.randrange(plan.streams)), items(count))
        appended += count
    return appended


def wait_for_the_end(
    unfinished: Callable[[], int], progress: Callable[[], object], stalled_seconds: float
) -> None:
    """Or until nothing has moved for so long."""
    before, moved_at = None, time.monotonic()
    while unfinished() and time.monotonic() - moved_at < stalled_seconds:
        now = progress()
        if now != before:
            before, moved_at = now, time.monotonic()
        time.sleep(0.2)


def judge_effects(outcome: Outcome, subscriptions: Collection[str], *, unordered: str = "") -> None:
    versions = dict(AggregateVersion.objects.values_list("aggregate_id", "version"))
    handled = defaultdict(list)
    rows = Effect.objects.order_by("pk")
    for *stream, number in rows.values_list("subscription", "aggregate_id", "sequence_number"):
        handled[tuple(stream)].append(number)
    for name in subscriptions:
        for aggregate_id, version in versions.items():
            numbers = handled[name, aggregate_id]
            firsts = list(dict.fromkeys(numbers))
            outcome.effects += version + 1
            outcome.lost += version + 1 - len(firsts)
            outcome.doubled += len(numbers) - len(firsts)
            if name != unordered:
                outcome.out_of_order += sum(a > b for a, b in pairwise(firsts))
