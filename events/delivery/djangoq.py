"""Django-q2 as the one who starts workers: its tasks say "look what is behind", and nothing else.

    EVENTS = {"wake_up": "events.delivery.djangoq.wake_up"}

A task stays awake while there is traffic, and ends in time for the cluster's own limits. That
tasks get lost, or come twice, late or in another order is harmless: the log and the checkpoints
know what is to be done, and a schedule looks every minute.
"""

from __future__ import annotations

import os
from time import monotonic
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..conf import events_settings
from . import wake_ups
from .engine import never
from .worker import Worker

#: Without events for so long, a task ends; the next append starts another, which takes as long as
#: the cluster's `poll`.
LINGER_SECONDS = 5.0
#: Half of the task's time limit; the other half is for the handler that is running then.
MAX_SECONDS = 25.0
#: How far ahead a task says that it will be awake: if it is killed, nobody is for so long.
AWAKE_SECONDS = 2.0

SCHEDULE_NAME = "events: what is behind"


def wake_up() -> None:
    """Enqueues the task. Arguments are plain: one that can't be unpickled stops a cluster."""
    from django_q.tasks import async_task

    async_task(_task_path(), task_name="events", group="events")


def drain() -> str:
    """The task. Handles what is behind, until there has been nothing for a while."""
    deadline = monotonic() + MAX_SECONDS
    worker = Worker(is_stopping=_Awake(deadline))
    try:
        worker.run(idle_seconds=LINGER_SECONDS)
    finally:
        wake_ups.fall_asleep()
    if monotonic() < deadline:
        # For what was appended while others thought that this task is awake.
        worker.is_stopping = never
        worker.turn()
    if monotonic() >= deadline or worker.is_held_back():
        wake_ups.request()
    return f"{worker.tally.handled} handled, {worker.tally.failed} failed"


class _Awake:
    """Asked between any two events: whether it is time to stop. Says meanwhile that it is awake."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._said_at = float("-inf")

    def __call__(self) -> bool:
        now = monotonic()
        if now - self._said_at > AWAKE_SECONDS / 2 and not _in_transaction():
            self._said_at = now
            wake_ups.stay_awake(AWAKE_SECONDS)
        return now >= self._deadline


def _in_transaction() -> bool:
    return connections[events_settings().database].in_atomic_block


def ensure_schedule(**kwargs: Any) -> None:
    """Receives `post_migrate`. The net under wake-ups that were lost: a look every minute."""
    if not is_in_use() or not apps.is_installed("django_q"):
        return
    from django_q.models import Schedule

    Schedule.objects.get_or_create(
        name=SCHEDULE_NAME,
        defaults={"func": _task_path(), "schedule_type": Schedule.MINUTES, "minutes": 1},
    )


def is_in_use() -> bool:
    return str(getattr(settings, "EVENTS", {}).get("wake_up", "")).endswith("djangoq.wake_up")


def _task_path() -> str:
    """Where a host has this package may be another place."""
    return f"{__name__}.drain"


def forget_inherited_pools() -> None:
    """In a process just forked: PostgreSQL connections, and the threads of a pool, are still those
    of the parent. Dropped, not closed, which would end the parent's session."""
    for connection in connections.all(initialized_only=True):
        pools = getattr(connection, "_connection_pools", None)
        if pools:
            _drop(connection, pools)


def _drop(connection: BaseDatabaseWrapper, pools: dict[str, Any]) -> None:
    pools.pop(connection.alias, None)
    connection.connection = None


os.register_at_fork(after_in_child=forget_inherited_pools)
