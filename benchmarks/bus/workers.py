"""Workers in processes of their own."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connection

from events.bus.subscription import Subscription
from events.delivery.worker import Worker
from events.models import Lane
from events.store.configured import event_store

TIMEOUT_SECONDS = 600

_processes = multiprocessing.get_context("fork")


@contextmanager
def workers(number: int, subscription: Subscription | None = None) -> Iterator[None]:
    """They have begun to work when the block does: for one subscription, or for all."""
    connection.close()  # which a fork would share
    barrier = _processes.Barrier(number + 1)
    with ExitStack() as stack:
        for _ in range(number):
            process = _processes.Process(target=_work, args=(subscription, barrier), daemon=True)
            process.start()
            stack.callback(process.join)
            stack.callback(process.kill)
        barrier.wait(TIMEOUT_SECONDS)
        yield


def _work(subscription: Subscription | None, barrier: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    connection.ensure_connection()
    barrier.wait(TIMEOUT_SECONDS)
    Worker(only=None if subscription is None else [subscription]).run()


def wait_until_handled(subscription: Subscription) -> None:
    """All that is in the log now."""
    mark, deadline = event_store().high_water_mark(), time.monotonic() + TIMEOUT_SECONDS
    rows = Lane.objects.filter(subscription_id=subscription.name)
    while not rows.exists() or rows.filter(position__lt=mark).exists():
        if time.monotonic() > deadline:
            raise RuntimeError("The workers are not done in time.")
        time.sleep(0.002)
