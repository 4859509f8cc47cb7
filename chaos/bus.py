"""Workers of durable subscriptions are killed, one after the other, while events are appended.

Each victim is told a step at which it stops and is killed; some are killed wherever they are.
Handlers fail now and then, too, so that their failures and retries are cut short as well.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe
from events.delivery import lanes
from events.delivery.context import current_delivery
from events.delivery.worker import Worker
from events.models import FailedEvent, Lane
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from tests.effects.models import Effect, leave_effect
from tests.processes import OtherProcess, new_event, new_number

from .log import append_in_step, judge_effects, wait_for_the_end
from .report import Outcome
from .steps import STEPS, stop_at
from .victims import ANYWHERE, Victim

SUBSCRIPTIONS: dict[str, dict[str, Any]] = {
    "chaos.rows": {"lanes": 4, "batch_size": 50},
    "chaos.lists": {"lanes": 2, "batch_size": 50, "in_batches": True},
    "chaos.single": {"lanes": 4, "batch_size": 1},
}
#: One in so many events fails at its first attempt.
FAILS_ONE_IN = 100
STALLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    kills: int = 200
    events: int = 20_000
    workers: int = 3
    writers: int = 2
    streams: int = 500
    events_an_append: int = 5
    #: After which a lease without an owner is free, where the database can't tell.
    lease_seconds: float = 2.0
    seed: int = 1


def run(plan: Plan) -> Outcome:
    """In the database of the project, whose log must be empty."""
    started = time.monotonic()
    outcome, kills, is_done = Outcome(), new_number(), new_event()
    with ExitStack() as stack:
        writers = [OtherProcess(append_in_step, plan, n, kills) for n in range(plan.writers)]
        victims = [
            Victim(work, plan, [*STEPS, ANYWHERE], random.Random(plan.seed + n))
            for n in range(plan.workers)
        ]
        for kill in [each.kill for each in writers] + [each.kill for each in victims]:
            stack.callback(kill)
        while kills.value < plan.kills:
            for victim in victims:
                if victim.is_due and kills.value < plan.kills:
                    victim.kill()
                    outcome.injected[victim.step] += 1
                    outcome.reached[victim.step] += victim.has_reached_it
                    kills.value += 1
                    victim.start()
            time.sleep(0.002)
        outcome.events = sum(writer.result() for writer in writers)
    survivors = [OtherProcess(work, plan, ANYWHERE, 0, None, is_done) for _ in victims]
    wait_for_the_end(_unfinished, Effect.objects.count, STALLED_SECONDS)
    is_done.set()
    for survivor in survivors:
        survivor.result()
    judge_effects(outcome, SUBSCRIPTIONS)
    outcome.unfinished = _unfinished()
    outcome.seconds = time.monotonic() - started
    return outcome


# --- in their processes ---


def work(plan: Plan, step: str, occurrence: int, reached: Any, is_done: Any) -> None:
    lanes.LEASE_MARGIN_SECONDS = 0.0
    # Failures are part of the plan.
    logging.getLogger("events.delivery").setLevel(logging.CRITICAL)

    def stop() -> None:
        reached.set()
        threading.Event().wait()

    if step in STEPS:
        stop_at(step, occurrence, stop)
    for name, options in SUBSCRIPTIONS.items():
        subscribe(
            "*",
            handle_list if options.get("in_batches") else handle,
            name=name,
            retry=RetryPolicy(attempts=100, first_delay_seconds=0, max_delay_seconds=0),
            timeout_seconds=plan.lease_seconds,
            **options,
        )
    Worker(is_stopping=is_done.is_set).run()


def handle(event: RecordedEvent) -> None:
    leave_effect(event)
    if event.position % FAILS_ONE_IN == 0 and current_delivery().attempt == 1:
        raise ValueError("It fails at first.")


def handle_list(events: list[RecordedEvent]) -> None:
    for event in events:
        handle(event)


# --- in the end ---


def _unfinished() -> int:
    mark = event_store().high_water_mark()
    behind = Lane.objects.filter(position__lt=mark).count()
    return behind + FailedEvent.objects.count()
