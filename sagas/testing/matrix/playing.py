"""Lets everything happen that is to happen, at its time and in its order, until nothing is left."""

from __future__ import annotations

from events.delivery.chores import do_chores
from events.delivery.worker import Worker

from ..clock import Clock
from .crashing import Crash, bury
from .injection import Injection

#: More moments than this, at which something is due, are no process that ends.
_MOST_MOMENTS = 300


def play(clock: Clock, injection: Injection) -> None:
    for _ in range(_MOST_MOMENTS):
        _handle_all(injection)
        if injection.let_go_behind_second_attempt():
            continue
        if not clock.advance_to_next() and not injection.let_go():
            return
    raise AssertionError(f"After {_MOST_MOMENTS} moments something is still due: it has no end.")


def _handle_all(injection: Injection) -> None:
    """As `drain` does. Each time by another worker, which looks at everything anew."""
    worker = Worker()
    try:
        while injection.act() or worker.turn() or do_chores():
            pass
    except Crash:
        bury()
        _handle_all(injection)
