"""A django-q2 cluster beside the demo, and what it has done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.models import Sum

from events.bus.subscription import Delivery, subscriptions
from events.models import Lane
from events.store.configured import event_store

PATIENCE_SECONDS = 60
STOP_SECONDS = 8


@contextmanager
def running_cluster() -> Iterator[None]:
    """In a session of its own: Ctrl-C reaches the demo, which ends the cluster."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its workers, too


def wait_until(condition: Callable[[], bool]) -> bool:
    """Whether it holds in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def is_all_handled() -> bool:
    """Whether all subscriptions have come to the end of the log."""
    last = event_store().high_water_mark()
    names = {each.name for each in subscriptions.of(Delivery.DURABLE)}
    lanes = Lane.objects.filter(subscription__in=names)
    return (
        len(set(lanes.values_list("subscription_id", flat=True))) == len(names)
        and not lanes.filter(position__lt=last).exists()
    )


def handled() -> dict[str, int]:
    """Events by subscription."""
    rows = Lane.objects.values("subscription_id").annotate(handled=Sum("handled"))
    return {row["subscription_id"]: row["handled"] for row in rows.order_by("subscription_id")}
