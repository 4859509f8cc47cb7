"""Other processes with the test database of this one, for claims about concurrency and crashes."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import django
from django.apps import apps
from django.db import connections

TIMEOUT_SECONDS = 60

# A server that has imported Django forks the processes: they start in milliseconds, and inherit
# neither a connection nor a thread of the tests.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])

if not apps.ready:
    django.setup()

# Made here and handed over as arguments of a process: what it shares with its siblings.
new_barrier = _context.Barrier
new_event = _context.Event
new_number = partial(_context.Value, "q")


class OtherProcess:
    """Runs a function. It, its arguments and its result must be picklable."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        names = {alias: connections[alias].settings_dict["NAME"] for alias in connections}
        self._answer, sender = _context.Pipe(duplex=False)
        self._process = _context.Process(
            target=_run, args=(names, sender, function, arguments), daemon=True
        )
        self._process.start()
        sender.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.is_alive()

    @property
    def has_ended(self) -> bool:
        return self._answer.poll()

    def result(self, timeout_seconds: float = TIMEOUT_SECONDS) -> Any:
        """What the function returned. Raises AssertionError with the traceback where it raised."""
        if not self._answer.poll(timeout_seconds):
            raise TimeoutError(f"{self._process.name} has not ended in {timeout_seconds} s")
        value, failure = self._answer.recv()
        self._process.join()
        if failure is not None:
            raise AssertionError(f"{self._process.name} failed:\n{failure}")
        return value

    def kill(self) -> None:
        """SIGKILL: no clean-up runs in the process."""
        self._process.kill()
        self._process.join()


@contextmanager
def running(function: Callable[..., Any], *arguments: Any) -> Iterator[OtherProcess]:
    """A process that is killed if it outlives the block."""
    process = OtherProcess(function, *arguments)
    try:
        yield process
    finally:
        process.kill()


def run_at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """The results of the calls, made by a process each, which all start at the same moment."""
    barrier = _context.Barrier(len(calls))
    processes = [OtherProcess(_call_behind, barrier, call) for call in calls]
    try:
        return [process.result() for process in processes]
    finally:
        for process in processes:
            process.kill()


def eventually(condition: Callable[[], Any], *, seconds: float = 20) -> None:
    """Waits until the condition holds. Fails when it doesn't in this time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} does not hold after {seconds} s"
        time.sleep(0.005)


def _call_behind(barrier: Any, call: Callable[[], Any]) -> Any:
    connections["default"].ensure_connection()
    barrier.wait(TIMEOUT_SECONDS)
    return call()


def _run(names: dict[str, Any], sender: Any, function: Callable[..., Any], arguments: Any) -> None:
    for alias, name in names.items():
        connections[alias].settings_dict["NAME"] = name
    answer: tuple[Any, str | None]
    try:
        answer = (function(*arguments), None)
    except BaseException:
        answer = (None, traceback.format_exc())
    connections.close_all()
    sender.send(answer)
