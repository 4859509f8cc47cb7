"""Time limits of all other threads, watched by a thread of their own."""

from __future__ import annotations

import ctypes
import math
import os
import queue
import threading
from contextlib import suppress
from time import monotonic, sleep

from .limit import HandlerInterrupted, Limit


class _Withdrawal(BaseException):
    """Raised instead of an interruption, and caught at once."""


class WatchedLimit(Limit):
    """Its deadline is watched by one thread for all others of the process.

    The watched thread can be interrupted at any point of this, and so takes no lock, which could
    stay locked. What has to be atomic is one operation on a dictionary, and all can be repeated.
    """

    def __init__(self, seconds: float, enclosing: Limit | None) -> None:
        super().__init__(seconds, enclosing)
        self._thread_id = threading.get_ident()
        self._watchdog = _watchdog
        self._fate: dict[str, bool] = {}
        self._was_sent = False
        #: Limits inside of this one that have not stopped, or were cut short in it.
        self._inside: list[WatchedLimit] = []

    def start(self) -> None:
        if isinstance(self.enclosing, WatchedLimit):
            self.enclosing._inside.append(self)
        self._watchdog.watch(self)

    def stop(self) -> None:
        for limit in tuple(self._inside):
            limit.stop()
        self._watchdog.forget(self)
        if self._is_to_be_interrupted(otherwise=False):
            # Or has been. In any case, nothing of it is left after this.
            while not self._was_sent and self._watchdog is _watchdog:
                sleep(0)
            self._leave_nothing_pending()
        if isinstance(self.enclosing, WatchedLimit) and self in self.enclosing._inside:
            self.enclosing._inside.remove(self)

    def interrupt(self) -> None:
        """Called by the watchdog, once at most."""
        if self._is_to_be_interrupted(otherwise=True):
            self.expired = True
            _set_asynchronous_exception(self._thread_id, ctypes.py_object(HandlerInterrupted))
            self._was_sent = True

    def _leave_nothing_pending(self) -> None:
        """Takes the place of an interruption that has not come yet.

        Not by an empty one: CPython before 3.13 would go on looking for it, which costs time at
        each call, and would loop forever where code is traced (by a debugger, or for coverage).
        """
        with suppress(_Withdrawal):
            while True:  # where one ended in a finalizer, the next one comes here
                _set_asynchronous_exception(self._thread_id, ctypes.py_object(_Withdrawal))
                sleep(0)

    def _is_to_be_interrupted(self, *, otherwise: bool) -> bool:
        """As whoever of the two threads was the first to ask has decided."""
        return self._fate.setdefault("interrupted", otherwise)


class _Watchdog:
    """Interrupts threads whose time is up."""

    def __init__(self) -> None:
        # Changed and copied by single operations of C code, which need no lock.
        self._limits: set[WatchedLimit] = set()
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._wakes_at = math.inf
        self._starting = threading.Lock()
        self._is_running = False

    def watch(self, limit: WatchedLimit) -> None:
        if not self._is_running:
            self._start()
        self._limits.add(limit)
        if limit.deadline < self._wakes_at:
            self._calls.put(None)

    def forget(self, limit: WatchedLimit) -> None:
        self._limits.discard(limit)

    def _start(self) -> None:
        with self._starting:
            if not self._is_running:
                threading.Thread(target=self._run, name="time-limits", daemon=True).start()
                self._is_running = True

    def _run(self) -> None:
        while True:
            # Before it looks: what is added from now on calls it again.
            self._wakes_at = math.inf
            limits = self._limits.copy()
            now = monotonic()
            for limit in limits:
                if limit.deadline <= now:
                    self.forget(limit)
                    limit.interrupt()
            self._sleep_until(min((x.deadline for x in limits if x.deadline > now), default=None))

    def _sleep_until(self, moment: float | None) -> None:
        if moment is not None:
            self._wakes_at = moment
        with suppress(queue.Empty):
            self._calls.get(timeout=None if moment is None else max(moment - monotonic(), 0))


# An own prototype: argument types set on `ctypes.pythonapi` itself would be everybody's.
_set_asynchronous_exception = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)
_watchdog = _Watchdog()


def _renew_watchdog() -> None:
    """A forked process has no thread but its own, and locks as they happened to be."""
    global _watchdog  # noqa: PLW0603
    _watchdog = _Watchdog()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_watchdog)
