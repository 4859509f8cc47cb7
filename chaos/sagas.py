"""Workers are killed while orders of mixed fate are placed: each has to end as its fate demands.

What is judged is what is left: orders, stock, the books of the gateway and of the carrier. So it
is the same for both styles of the order saga; `ORDERS["saga_style"]` says which one runs.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from events.bus.retry import RetryPolicy
from events.command_bus import command_bus
from events.delivery import lanes
from events.delivery.worker import Worker
from events.models import Event, FailedEvent, Lane
from events.store.configured import event_store
from orders.conf import orders_settings
from sagas import running, sending, timers
from sagas.models import SagaInstance
from sagas.process import OpenLeg
from sagas.state import Status
from tests.orders.shop import place, receive
from tests.processes import OtherProcess, new_event, new_number

from .fates import FATES, PLENTY, QUANTITY, SCARCE, Judgement, fate_of, judge, order_id_of
from .log import wait_for_the_end
from .report import kills_table
from .steps import STEPS, Step, stop_in
from .victims import ANYWHERE, Victim

SAGA_STEPS = STEPS | {
    "decided": Step(((running, "save_all"),), is_behind=False),
    "in a handler": Step(((command_bus, "_registration"),), is_behind=True),
    "command handled": Step(((sending, "outcome_of"), (running, "handle_at_once")), is_behind=True),
    "timer fired": Step(((timers, "give"),), is_behind=True),
}
ENDED = {Status.COMPLETED, Status.COMPENSATED}
STALLED_SECONDS = 90.0
#: Of the delays of retries: it shall not take hours.
PACE = 0.05
#: The longest that a choreographed process waits for an answer: not days, and not so short that it
#: gives up what is only slow because workers are killed.
PATIENCE_SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    kills: int = 120
    orders: int = 2_000
    workers: int = 3
    seed: int = 1


@dataclass(slots=True)
class Outcome:
    injected: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    judgement: Judgement | None = None
    #: Sagas that have not ended, events that were not handled.
    stuck: int = 0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return self.judgement is not None and not (self.judgement.problems or self.stuck)

    def show(self) -> None:
        assert self.judgement is not None
        ends = Table("fate", "completed", "cancelled", "other", show_edge=False)
        for fate in FATES:
            found = {
                status: count
                for (name, status), count in self.judgement.ends.items()
                if name == fate.name
            }
            completed, cancelled = found.pop("completed", 0), found.pop("cancelled", 0)
            ends.add_row(fate.name, *map(str, (completed, cancelled, sum(found.values()))))
        console = Console()
        console.print(kills_table(self.injected, self.reached), ends)
        console.print(
            f"{orders_settings().saga_style}: {self.judgement.ends.total()} orders in "
            f"{self.seconds:.0f} s; {self.stuck} stuck, {len(self.judgement.problems)} wrong",
            *self.judgement.problems[:20],
            "All holds." if self.holds else "It does NOT hold.",
            sep="\n",
        )


def run(plan: Plan) -> Outcome:
    """In the database of the project, which must be empty."""
    started = time.monotonic()
    outcome, kills, is_done = Outcome(), new_number(), new_event()
    received = {PLENTY: QUANTITY * plan.orders, SCARCE: QUANTITY * plan.orders // 20}
    receive(**received)
    with ExitStack() as stack:
        customer = OtherProcess(place_in_step, plan, kills)
        victims = [
            Victim(work, plan, [*SAGA_STEPS, ANYWHERE], random.Random(plan.seed + n))
            for n in range(plan.workers)
        ]
        for kill in [customer.kill, *(victim.kill for victim in victims)]:
            stack.callback(kill)
        while kills.value < plan.kills:
            for victim in victims:
                if victim.is_due and kills.value < plan.kills:
                    victim.kill()
                    outcome.injected[victim.step] += 1
                    outcome.reached[victim.step] += victim.has_reached_it
                    kills.value += 1
                    victim.start()
            time.sleep(0.01)
        customer.result()
    survivors = [OtherProcess(work, plan, ANYWHERE, 0, None, is_done) for _ in victims]
    wait_for_the_end(lambda: _unfinished(plan), event_store().high_water_mark, STALLED_SECONDS)
    is_done.set()
    for survivor in survivors:
        survivor.result()
    outcome.stuck = _unfinished(plan)
    outcome.judgement = judge(range(plan.orders), received)
    outcome.seconds = time.monotonic() - started
    return outcome


# --- in their processes ---


def work(plan: Plan, step: str, occurrence: int, reached: Any, is_done: Any) -> None:
    logging.disable(logging.ERROR)  # they are meant to fail
    lanes.LEASE_MARGIN_SECONDS = 0.0
    delay_seconds = RetryPolicy.delay_seconds
    RetryPolicy.delay_seconds = (  # type: ignore[method-assign]
        lambda *arguments, **options: PACE * delay_seconds(*arguments, **options)
    )

    within_seconds = OpenLeg.within_seconds.fget  # type: ignore[attr-defined]
    OpenLeg.within_seconds = property(  # type: ignore[assignment, method-assign]
        lambda leg: min(within_seconds(leg), PATIENCE_SECONDS)
    )

    def stop() -> None:
        reached.set()
        threading.Event().wait()

    if step in SAGA_STEPS:
        stop_in(SAGA_STEPS[step], occurrence, stop)
    Worker(is_stopping=is_done.is_set).run()


def place_in_step(plan: Plan, kills: Any) -> None:
    """Spread over the time that the kills take."""
    for number in range(plan.orders):
        while number > plan.orders * (kills.value + 2) / plan.kills:
            time.sleep(0.005)
        place(order_id_of(number), **fate_of(number).order)


# --- in the end ---


def _unfinished(plan: Plan) -> int:
    outcomes = ("OrderProcessingCompleted", "OrderProcessingFailed")
    told = Event.objects.filter(event_type__in=outcomes).values("aggregate_id").distinct().count()
    sagas = SagaInstance.objects.exclude(status__in=ENDED).count()
    behind = Lane.objects.filter(position__lt=event_store().high_water_mark()).count()
    return plan.orders - told + sagas + behind + _failed(plan)


def _failed(plan: Plan) -> int:
    """A choreographed process is turned back by its deadline; that what never answers was asked
    in vain stays a dead letter."""
    in_vain = [
        str(order_id_of(number))
        for number in range(plan.orders)
        if fate_of(number).is_never_answered
    ]
    return FailedEvent.objects.exclude(aggregate_id__in=in_vain).count()
