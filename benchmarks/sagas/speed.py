"""From command to completion: sagas a second, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..harness import Contender, race
from ..report import Row, rows_against
from ..server import Server
from . import ours, peer

SAGAS = 100
ROUNDS = 7
OURS, ONE_THREAD, THREADS = "ours", "dbos, 1 thread", "dbos, 8 threads"
AT_LEAST = 4.0
CASES = {
    "saga of 5 steps, all succeed": None,
    "saga of 5 steps, 10 % fail at the third, 2 undos": 10,
}


def rows(server: Server) -> Iterator[Row]:
    for case, fails_one_in in CASES.items():
        speeds = race(server, contenders(SAGAS, fails_one_in), units=SAGAS, rounds=ROUNDS)
        yield from rows_against(
            {ONE_THREAD: AT_LEAST, THREADS: AT_LEAST},
            speeds,
            suite="sagas",
            case=case,
            unit="sagas/s",
        )


def contenders(sagas: int, fails_one_in: int | None) -> list[Contender]:
    return [
        Contender(OURS, partial(ours.prepare, sagas, fails_one_in)),
        Contender(ONE_THREAD, partial(peer.prepare, sagas, 1, fails_one_in)),
        Contender(THREADS, partial(peer.prepare, sagas, 8, fails_one_in)),
    ]
