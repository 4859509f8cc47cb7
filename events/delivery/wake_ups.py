"""Has a worker started where none is awake, as soon as something was appended.

`EVENTS["wake_up"]` names a function that starts one, such as `events.delivery.djangoq.wake_up`. It
is called from a thread of this process, never in or by the append; and once for many appends: who
is awake looks for new events by itself. A wake-up that is lost or late costs time, nothing else.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import TypeAlias

from django.db import connections, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from ..conf import events_settings, given_settings
from ..models import WakeUp

logger = logging.getLogger(__name__)

Starter: TypeAlias = Callable[[], object]

#: A request that nobody has answered in this time is taken for lost.
LOST_AFTER_SECONDS = 30
#: Between two looks at whether somebody is awake.
PAUSE_SECONDS = 0.1
#: Then the thread ends, with its connection; the next append starts another.
IDLE_SECONDS = 10.0
EXIT_SECONDS = 2.0

_NAME = "subscriptions"


def wake_after_commit(using: str) -> None:
    """Called with each append, and with each action of an operator. Nothing happens until that is
    committed."""
    path = given_settings().get("wake_up")
    if path is not None:
        transaction.on_commit(_caller.call, using=using, robust=True)


def request() -> bool:
    """Asks for a worker, unless one is awake or on its way. Whether one was asked for."""
    path = events_settings().wake_up
    if path is None or not _claim():
        return False
    _starter(path)()
    return True


def stay_awake(seconds: float) -> None:
    """No other worker need be started for so long."""
    WakeUp.objects.using(events_settings().database).update_or_create(
        name=_NAME,
        defaults={"awake_until": Now() + timedelta(seconds=seconds), "requested_at": Now()},
    )


def fall_asleep() -> None:
    """From now on, appends wake another worker up. Whoever calls this looks once more for what was
    appended before."""
    WakeUp.objects.using(events_settings().database).filter(name=_NAME).delete()


def _claim() -> bool:
    rows = WakeUp.objects.using(events_settings().database)
    _, is_new = rows.get_or_create(name=_NAME, defaults={"requested_at": Now()})
    if is_new:
        return True
    is_lost = Q(awake_until=None, requested_at__lt=Now() - timedelta(seconds=LOST_AFTER_SECONDS))
    unanswered = rows.filter(is_lost | Q(awake_until__lt=Now()), name=_NAME)
    return bool(unanswered.update(requested_at=Now(), awake_until=None))


@cache
def _starter(path: str) -> Starter:
    starter: Starter = import_string(path)
    return starter


class _Caller:
    """A thread that calls `request`, started when needed, in whichever process needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_called = threading.Event()
        self._is_requesting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def call(self) -> None:
        self._is_called.set()
        thread = self._thread
        if thread is None or not thread.is_alive() or self._process != os.getpid():
            self._start()

    def finish(self) -> None:
        """The process ends: a request that is still to be made is made first."""
        deadline = monotonic() + EXIT_SECONDS
        while self._process == os.getpid() and self._is_called.is_set():
            if monotonic() > deadline:
                return
            time.sleep(0.005)
        self._is_requesting.acquire(timeout=EXIT_SECONDS)

    def _start(self) -> None:
        if self._process != os.getpid():  # a fork inherits the lock, maybe taken, but no thread
            self.__init__()  # type: ignore[misc]
            self._is_called.set()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="events-wake-ups", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        try:
            while self._is_called.wait(IDLE_SECONDS):
                with self._is_requesting:
                    self._is_called.clear()
                    _request_robustly()
                time.sleep(PAUSE_SECONDS)
        finally:
            connections.close_all()


def _request_robustly() -> None:
    try:
        request()
    except Exception:
        logger.exception("No worker could be woken up: events are handled when the next one is")
        connections.close_all()


_caller = _Caller()
atexit.register(_caller.finish)
