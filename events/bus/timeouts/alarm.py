"""Time limits of the main thread, by SIGALRM and its timer."""

from __future__ import annotations

import signal
import threading
from functools import cache
from time import monotonic
from types import FrameType
from typing import Any

from .limit import HandlerInterrupted, Limit

# The least that a timer can wait for; zero would switch it off.
_AT_ONCE_SECONDS = 1e-6


def is_usable_here() -> bool:
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        # None was set by C code, and couldn't be put back.
        and signal.getsignal(signal.SIGALRM) is not None
        and _can_handle_signals()
    )


@cache
def _can_handle_signals() -> bool:
    """The main thread of an embedded interpreter (mod_wsgi) can't: it is refused, or ignored."""
    try:
        return signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGALRM)) is not None
    except ValueError:
        return False


class AlarmLimit(Limit):
    """Borrows SIGALRM and its timer from whoever has it, another limit or the host.

    Whoever that is gets its alarms in time meanwhile, and the rest of its time in the end.
    """

    _is_armed = False
    _missed_an_alarm = False
    _lender_handler: Any = None
    _lender_deadline: float | None = None
    _lender_interval = 0.0

    def start(self) -> None:
        self._missed_an_alarm = False
        self._lender_handler = signal.signal(signal.SIGALRM, self._on_alarm)
        remaining, self._lender_interval = signal.getitimer(signal.ITIMER_REAL)
        self._lender_deadline = monotonic() + remaining if remaining else None
        if self._missed_an_alarm:
            self._lender_deadline = monotonic()
        self._is_armed = True
        earliest = min(self.deadline, self._lender_deadline or self.deadline)
        signal.setitimer(signal.ITIMER_REAL, max(earliest - monotonic(), _AT_ONCE_SECONDS))

    def stop(self) -> None:
        if not self._is_armed:
            return
        self._is_armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._lender_handler)
        if self._lender_deadline is not None:
            remaining = max(self._lender_deadline - monotonic(), _AT_ONCE_SECONDS)
            signal.setitimer(signal.ITIMER_REAL, remaining, self._lender_interval)

    def _on_alarm(self, signum: int, frame: FrameType | None) -> None:
        """Whatever this raises, the limit is stopped by then: it may hit the start of `stop`."""
        if not self._is_armed:
            # Between two lines of `start`, the lender's; of `stop`, which sets the timer anew.
            self._missed_an_alarm = True
            return
        now = monotonic()
        if now >= self.deadline:
            self.expired = True
            self.stop()
            raise HandlerInterrupted
        lender_is_due = self._lender_deadline is not None and now >= self._lender_deadline
        if lender_is_due:
            self._lender_deadline = now + self._lender_interval if self._lender_interval else None
        self.stop()
        if lender_is_due:
            signal.raise_signal(signum)
        self.start()
