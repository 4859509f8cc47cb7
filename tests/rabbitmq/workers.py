"""Relays and consumers in processes of their own, which stop for ever at a step."""

from __future__ import annotations

import os
import threading
from typing import Any

from django.conf import settings as django_settings

from chaos.rabbitmq_steps import stop_at
from events.bus.queues import QueueOptions
from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe, subscriptions
from events.delivery import engine, lanes
from events.delivery.context import current_delivery
from events.delivery.worker import Worker
from events.rabbitmq import consuming
from events.rabbitmq.conf import rabbitmq_settings
from events.rabbitmq.consuming import Consumer
from events.rabbitmq.relay import register_relay
from tests.effects.models import leave_effect

NAME = "tests.effects"
THREE_ATTEMPTS = RetryPolicy(
    attempts=3, first_delay_seconds=0.05, factor=1, max_delay_seconds=0.05, jitter=0
)
SOON = RetryPolicy(attempts=1, first_delay_seconds=0.2, factor=1, max_delay_seconds=0.2)


def use(rabbitmq: dict[str, Any]) -> None:
    """In this process: no other subscriptions, these settings, and no patience."""
    for module, name in (
        (engine, "OUTAGE_BACK_OFF"),
        (consuming, "OUTAGE_BACK_OFF"),
        (consuming, "RECONNECT"),
    ):
        setattr(module, name, SOON)
    for each in list(subscriptions):
        subscriptions.remove(each.name)
    django_settings.EVENTS = django_settings.EVENTS | {"rabbitmq": rabbitmq}


def stop_for_ever_at(step: str | None, reached: Any) -> None:
    def stop() -> None:
        reached.set()
        threading.Event().wait()

    if step is not None:
        stop_at(step, 1, stop)


def relay(rabbitmq: dict[str, Any], step: str | None, reached: Any, is_done: Any) -> int:
    """Until it is told to end."""
    lanes.LEASE_MARGIN_SECONDS = 0
    use(rabbitmq)
    stop_for_ever_at(step, reached)
    register_relay()
    worker = Worker(is_stopping=is_done.is_set)
    worker.run()
    return worker.tally.handled


def subscribe_to(queue: str, handler: Any = leave_effect, *, ordered: bool = False) -> None:
    options = QueueOptions(name=queue, ordered=ordered, prefetch=20)
    subscribe("*", handler, name=NAME, queue=options, retry=THREE_ATTEMPTS, batch_size=5)


def consume(
    rabbitmq: dict[str, Any],
    queue: str,
    step: str | None,
    reached: Any,
    is_done: Any,
    ordered: bool = False,
    handler: Any = leave_effect,
) -> int:
    """Until it is told to end."""
    lanes.LEASE_MARGIN_SECONDS = 0
    use(rabbitmq)
    stop_for_ever_at(step, reached)
    subscribe_to(queue, handler, ordered=ordered)
    consumer = Consumer(
        settings=rabbitmq_settings(),
        subscriptions=list(subscriptions),
        is_stopping=is_done.is_set,
    )
    consumer.run()
    return consumer.tally.handled


def end_process(event: Any) -> None:
    """At one event, and at no other."""
    leave_effect(event, note=str(current_delivery().attempt))
    if event.sequence_number == 3:
        os._exit(1)
