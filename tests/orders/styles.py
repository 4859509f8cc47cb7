"""The order process in each of its styles, as one test has it installed, and how time passes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from unittest import mock
from uuid import UUID

from events.bus.dispatcher import follow_subscriptions
from events.bus.subscription import Subscription, subscriptions
from events.delivery.draining import drain
from events.models import FailedEvent
from events.store.configured import event_store
from sagas import operations, watch
from sagas.clock import database_time
from sagas.deadlines import fire_deadlines
from sagas.timers import fire_timers
from tests.orders.shop import ORDER, cancel

STYLES = ("orchestrated", "choreographed")
SAGA = f"OrderProcessing:{ORDER}"
_ROUNDS = 60
_RETRIES_BEFORE_A_DEADLINE = 4

_OF_ORCHESTRATION = ("sagas.OrderProcessing", "orders.outcome")


@cache
def _subscriptions_of(style: str) -> dict[str, Subscription]:
    own = {
        name: each for name, each in subscriptions._by_name.items() if name not in _OF_ORCHESTRATION
    }
    if style == "orchestrated":
        return dict(subscriptions._by_name)
    with mock.patch.object(subscriptions, "_by_name", own):
        import_module("orders.sagas.choreographed_outcome")
    follow_subscriptions()
    return own


@dataclass(frozen=True)
class Style:
    name: str

    def __str__(self) -> str:
        return self.name

    def run(self) -> None:
        """To the end, whatever the timers say."""
        marks: list[int] = []
        for number in range(1, _ROUNDS + 1):
            FailedEvent.objects.filter(status="retrying").update(next_attempt_at=None)
            drain(raise_errors=False)
            at = database_time() + number * timedelta(days=60)
            is_waiting = FailedEvent.objects.filter(status="retrying").exists()
            marks.append(event_store().high_water_mark())
            if is_waiting and marks.count(marks[-1]) <= _RETRIES_BEFORE_A_DEADLINE:
                continue
            if not (fire_timers(at) or fire_deadlines(at)) and not is_waiting:
                return
        raise AssertionError("It does not end.")

    def turn_back(self, order_id: UUID = ORDER) -> None:
        if self.name == "orchestrated":
            saga_id = f"OrderProcessing:{order_id}"
            operations.compensate(saga_id, operator="ann", reason="the customer called")
        else:
            cancel(order_id, reason="the customer called")

    def settle(self, step: str) -> None:
        if self.name == "orchestrated":
            operations.skip_step(SAGA, step, operator="ann", evidence="by cash", learned={})
        else:
            FailedEvent.objects.all().delete()
            watch.settle_by_hand(SAGA, step, operator="ann", evidence="by cash")


@contextmanager
def installed(name: str, *, without: Collection[str] = ()) -> Iterator[Style]:
    chosen = {key: each for key, each in _subscriptions_of(name).items() if key not in without}
    with mock.patch.object(subscriptions, "_by_name", chosen):
        follow_subscriptions()
        yield Style(name)
    follow_subscriptions()
