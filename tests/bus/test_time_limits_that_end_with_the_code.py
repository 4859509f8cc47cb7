"""Code that ends in the moment in which its time runs out. Nothing may come after it."""

from __future__ import annotations

import gc
import random
import signal
import sys
import threading

import pytest

from events.bus.timeouts import run_within
from events.bus.timeouts.watchdog import WatchedLimit
from events.exceptions import HandlerTimeout

from .samples import in_new_thread, in_this_thread, keep_busy

BLOCKS = 2000


@pytest.fixture
def _hasty_switches():
    """Python changes threads much more often than it would, and doesn't collect garbage, because
    it reports what is raised in a finalizer of someone else, who would be interrupted now and then.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    gc.disable()
    yield
    gc.enable()
    sys.setswitchinterval(interval)


def code_that_ends_at(seconds: float, kind: str) -> None:
    """Calls that are interrupted at all kinds of places, and limits within limits."""
    if kind == "plain":
        keep_busy(seconds)
    elif kind == "raising":
        keep_busy(seconds)
        raise KeyError
    elif kind == "inner limit ends with the outer":
        run_within(seconds, keep_busy, seconds)
    elif kind == "many inner limits":
        for _ in range(3):
            run_within(seconds, run_within, seconds / 2, keep_busy, seconds / 3)
    elif kind == "swallowing":
        for _ in range(2):
            try:
                run_within(seconds / 2, keep_busy, seconds / 2)
            except BaseException:
                keep_busy(seconds / 10)


KINDS = ["plain", "raising", "inner limit ends with the outer", "many inner limits", "swallowing"]


def run_blocks(seed: int) -> tuple[int, int]:
    """How many ended in time, and how many did not. All else is an error that was let out."""
    choice = random.Random(seed)
    in_time = late = 0
    for _ in range(BLOCKS):
        seconds = choice.uniform(2e-5, 3e-4)
        try:
            run_within(
                seconds,
                code_that_ends_at,
                seconds * choice.uniform(0.7, 1.05),
                choice.choice(KINDS),
            )
            in_time += 1
        except KeyError:
            in_time += 1
        except HandlerTimeout:
            late += 1
        # Calls and loops, before each of which Python would raise what is still to come.
        for number in range(20):
            abs(number)
    return in_time, late


@pytest.mark.usefixtures("_hasty_switches")
@pytest.mark.parametrize("run", [in_this_thread, in_new_thread])
def test_nothing_is_raised_after_the_end(run):
    handler = signal.getsignal(signal.SIGALRM)
    in_time, late = run(lambda: run_blocks(seed=1))
    assert in_time + late == BLOCKS
    assert min(in_time, late) > 0, "the blocks did not end close to their limits"
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.usefixtures("_hasty_switches")
def test_nothing_is_raised_after_the_end_in_several_threads_at_once():
    answers = []

    def run(seed):
        answers.append(sum(run_blocks(seed)))

    threads = [threading.Thread(target=run, args=[seed]) for seed in range(3)]
    for thread in threads:
        thread.start()
    run(3)
    for thread in threads:
        thread.join()
    assert answers == [BLOCKS] * 4


def test_a_limit_ends_those_inside_of_it_that_could_not_end_themselves():
    def cut_short():
        outer = WatchedLimit(10, None)
        inner = WatchedLimit(0.01, outer)
        outer.start()
        inner.start()
        # Something interrupts `inner.stop()` before its first line.
        outer.stop()
        return keep_busy(0.05)

    assert in_new_thread(cut_short) == "done"
