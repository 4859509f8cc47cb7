"""Relays, consumers and the broker between them are killed, one after the other, while events are
appended: each event must be had once by either subscription, in order by the ordered one.

Handlers fail now and then, so that retries are cut short as well.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings

from events.bus.queues import QueueOptions
from events.bus.retry import RetryPolicy
from events.bus.subscription import Delivery, subscribe, subscriptions
from events.delivery import lanes
from events.delivery.context import current_delivery
from events.delivery.worker import Worker
from events.models import AggregateVersion, FailedEvent, Lane
from events.rabbitmq.conf import rabbitmq_settings
from events.rabbitmq.connection import Link
from events.rabbitmq.consuming import Consumer
from events.rabbitmq.layout import subscription_topology
from events.rabbitmq.relay import RELAY, register_relay
from events.rabbitmq.topology import Topology
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from private_rabbitmq import Broker, restarted_broker
from tests.effects.models import Effect, leave_effect
from tests.processes import OtherProcess, new_event, new_number

from .log import append_in_step, judge_effects, wait_for_the_end
from .rabbitmq_steps import CONSUMER_STEPS, RELAY_STEPS, STEPS, stop_at
from .report import Outcome
from .victims import ANYWHERE, Victim

BROKER = "broker"
EXCHANGE = "chaos"
UNORDERED, ORDERED = "chaos.unordered", "chaos.ordered"
#: One in so many events fails at its first attempt.
FAILS_ONE_IN = 100
STALLED_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    kills: int = 200
    #: Of the broker, besides; each takes some seconds.
    broker_kills: int = 5
    events: int = 50_000
    relays: int = 1
    consumers: int = 2
    writers: int = 1
    streams: int = 500
    events_an_append: int = 20
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a process is, and for which broker."""

    url: str
    is_relay: bool

    @property
    def steps(self) -> list[str]:
        return [*(RELAY_STEPS if self.is_relay else CONSUMER_STEPS), ANYWHERE]


def run(plan: Plan) -> Outcome:
    """In the database of the project, whose log must be empty."""
    with restarted_broker() as broker:
        broker.start()
        use_broker(broker.url)
        subscribe_all()
        declare_all()
        return _run(plan, broker)


def _run(plan: Plan, broker: Broker) -> Outcome:
    started, outcome, kills = time.monotonic(), Outcome(), new_number()
    with ExitStack() as stack:
        writers = [
            OtherProcess(append_in_step, plan, number, kills) for number in range(plan.writers)
        ]
        roles = [Role(url=broker.url, is_relay=True)] * plan.relays
        roles += [Role(url=broker.url, is_relay=False)] * plan.consumers
        victims = [
            Victim(work, role, role.steps, random.Random(plan.seed + number))
            for number, role in enumerate(roles)
        ]
        for kill in [each.kill for each in writers] + [each.kill for each in victims]:
            stack.callback(kill)
        pause = max(1, plan.kills // (plan.broker_kills + 1))
        while kills.value < plan.kills:
            for victim in victims:
                if victim.is_due and kills.value < plan.kills:
                    victim.kill()
                    outcome.injected[victim.step] += 1
                    outcome.reached[victim.step] += victim.has_reached_it
                    kills.value += 1
                    victim.start()
                    if kills.value % pause == 0 and outcome.injected[BROKER] < plan.broker_kills:
                        broker.kill()
                        broker.start()
                        outcome.injected[BROKER] += 1
                        outcome.reached[BROKER] += 1
            time.sleep(0.002)
        outcome.events = sum(writer.result(600) for writer in writers)
    with _survivors(plan, broker.url):
        wait_for_the_end(_unfinished, Effect.objects.count, STALLED_SECONDS)
    judge_effects(outcome, (UNORDERED, ORDERED), unordered=UNORDERED)
    outcome.unfinished = _unfinished()
    outcome.seconds = time.monotonic() - started
    return outcome


@contextmanager
def _survivors(plan: Plan, url: str) -> Iterator[None]:
    is_done = new_event()
    survivors = [
        OtherProcess(work, Role(url=url, is_relay=is_relay), ANYWHERE, 0, None, is_done)
        for is_relay in [True, *[False] * plan.consumers]
    ]
    try:
        yield
        is_done.set()
        for survivor in survivors:
            survivor.result()
    finally:
        for survivor in survivors:
            survivor.kill()


# --- in their processes ---


def work(role: Role, step: str, occurrence: int, reached: Any, is_done: Any) -> None:
    lanes.LEASE_MARGIN_SECONDS = 0.0
    # Failures are part of the plan.
    logging.getLogger("events").setLevel(logging.CRITICAL)

    def stop() -> None:
        reached.set()
        threading.Event().wait()

    if step in STEPS:
        stop_at(step, occurrence, stop)
    use_broker(role.url)
    if role.is_relay:
        register_relay()
        Worker(is_stopping=is_done.is_set).run()
        return
    subscribe_all()
    consumer = Consumer(
        settings=rabbitmq_settings(),
        subscriptions=subscriptions.of(Delivery.RABBITMQ),
        is_stopping=is_done.is_set,
    )
    consumer.run()


def use_broker(url: str) -> None:
    """In this process."""
    for each in list(subscriptions):
        subscriptions.remove(each.name)
    django_settings.EVENTS = django_settings.EVENTS | {
        "rabbitmq": {"url": url, "exchange": EXCHANGE, "confirm_timeout_seconds": 10}
    }


def subscribe_all() -> None:
    for name, is_ordered in ((UNORDERED, False), (ORDERED, True)):
        subscribe(
            "*",
            handle,
            name=name,
            queue=QueueOptions(name=name, ordered=is_ordered, prefetch=200),
            # More than a message can be killed with, as long as it doesn't kill by itself.
            retry=RetryPolicy(
                attempts=100, first_delay_seconds=0.2, factor=1, max_delay_seconds=0.2, jitter=0
            ),
            timeout_seconds=10.0,
        )


def declare_all() -> None:
    settings, topology = rabbitmq_settings(), Topology()
    for each in subscriptions.of(Delivery.RABBITMQ):
        topology.merge(subscription_topology(settings.exchange, each))
    link = Link(settings, topology, purpose="chaos")
    link.connect()
    link.close()


def handle(event: RecordedEvent) -> None:
    leave_effect(event)
    if event.sequence_number % FAILS_ONE_IN == 7 and current_delivery().attempt == 1:
        raise ValueError("It fails at first.")


# --- in the end ---


def _unfinished() -> int:
    mark, log = event_store().high_water_mark(), Effect.objects
    behind = Lane.objects.filter(subscription_id=RELAY, position__lt=mark).count()
    expected = sum(row + 1 for row in AggregateVersion.objects.values_list("version", flat=True))
    missing = sum(
        max(0, expected - log.filter(subscription=name).count()) for name in (UNORDERED, ORDERED)
    )
    return behind + missing + FailedEvent.objects.count()
