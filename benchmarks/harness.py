"""Races: the same work by several contenders, in turns, on databases of their own.

The turns are short and interleave (A B C A B C ...), so that what else the machine does meets all
of them alike.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from .report import Speeds
from .server import Server, use_database

ROUNDS = 15
SECONDS_A_TURN = 0.25
BARRIER_TIMEOUT_SECONDS = 30
ANSWER_TIMEOUT_SECONDS = 600

Operation: TypeAlias = Callable[[], object]

# Contenders are closures, which only a fork can carry into another process.
_processes = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Contender:
    """`prepare` runs once in each process, on the contender's own database; what it returns is
    repeated and counted there. During each turn, `meanwhile` holds in this process."""

    name: str
    prepare: Callable[[], Operation]
    meanwhile: Callable[[], AbstractContextManager[object]] = nullcontext


class ContenderFailed(Exception):
    """Carries the traceback of the process in which it happened."""


def race(
    server: Server,
    contenders: Sequence[Contender],
    *,
    processes: int = 1,
    units: int = 1,
    rounds: int = ROUNDS,
    seconds: float = SECONDS_A_TURN,
) -> Speeds:
    """Lets them work for so many seconds a turn. An operation counts for so many units.

    All processes of a contender start together. A first round warms up and isn't counted.
    """
    speeds: Speeds = {contender.name: [] for contender in contenders}
    with ExitStack() as stack:
        teams = [
            stack.enter_context(_team(server, contender, processes)) for contender in contenders
        ]
        server.checkpoint()
        for _ in range(1 + rounds):
            for team in teams:
                speeds[team.contender.name].append(units * team.speed(seconds))
    return {name: counted for name, (_, *counted) in speeds.items()}


def run_apart(contender: Contender, database: str, times: int) -> None:
    """In a process of its own, so many times. All its connections are closed when this returns."""
    with _worker(contender, database, _processes.Barrier(1)) as worker:
        _answer(worker)
        for _ in range(times):
            worker.send(0.0)
            _answer(worker)


@dataclass(frozen=True, slots=True)
class _Team:
    contender: Contender
    database: str
    workers: Sequence[Connection]

    def speed(self, seconds: float) -> float:
        with use_database(self.database), self.contender.meanwhile():
            for worker in self.workers:
                worker.send(seconds)
            return sum(_answer(worker) for worker in self.workers)


@contextmanager
def _team(server: Server, contender: Contender, processes: int) -> Iterator[_Team]:
    barrier = _processes.Barrier(processes)
    with server.new_database() as database, ExitStack() as stack:
        workers = []
        # One after another: some make their tables when they start.
        for _ in range(processes):
            worker = stack.enter_context(_worker(contender, database, barrier))
            _answer(worker)
            workers.append(worker)
        yield _Team(contender, database, workers)


@contextmanager
def _worker(contender: Contender, database: str, barrier: Any) -> Iterator[Connection]:
    ours, theirs = _processes.Pipe()
    process = _processes.Process(
        target=_work, args=(contender, database, barrier, theirs), daemon=True
    )
    process.start()
    # Its end of the pipe is closed here, so that its death is noticed.
    theirs.close()
    try:
        yield ours
    finally:
        process.terminate()
        process.join()


def _work(contender: Contender, database: str, barrier: Any, orders: Connection) -> None:
    # The parent decides when this ends, on Ctrl-C too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with use_database(database):
            operation = contender.prepare()
            orders.send(0.0)
            while True:
                seconds = orders.recv()
                barrier.wait(BARRIER_TIMEOUT_SECONDS)
                orders.send(_operations_a_second(operation, seconds))
    except Exception:
        orders.send(traceback.format_exc())


def _operations_a_second(operation: Operation, seconds: float) -> float:
    started = now = time.perf_counter()
    done = 0
    while not done or now < started + seconds:
        operation()
        done += 1
        now = time.perf_counter()
    return done / (now - started)


def _answer(worker: Connection) -> float:
    if not worker.poll(ANSWER_TIMEOUT_SECONDS):
        raise ContenderFailed(f"No answer within {ANSWER_TIMEOUT_SECONDS} seconds.")
    try:
        answer: float | str = worker.recv()
    except EOFError:
        raise ContenderFailed("Its process ended.") from None
    if isinstance(answer, str):
        raise ContenderFailed(answer)
    return answer
