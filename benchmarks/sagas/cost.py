"""What a saga costs the server: commits, and bytes of write-ahead log."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.db import connection

from ..harness import Contender, run_apart
from ..report import Row, row_of_less
from ..server import Server, use_database
from . import speed

SAGAS = 100
#: Server processes report what they did when they end, which takes them a moment.
REPORTING_SECONDS = 1.0


def rows(server: Server) -> Iterator[Row]:
    costs = {each.name: _cost(server, each) for each in speed.contenders(SAGAS, None)}
    ours = costs[speed.OURS]
    for against in (speed.ONE_THREAD, speed.THREADS):
        for unit, mine, theirs in zip(("commits", "bytes"), ours, costs[against], strict=True):
            yield row_of_less(
                suite="sagas",
                case="a saga of 5 steps, commits" if unit == "commits" else "the same, WAL",
                against=against,
                ours=mine,
                theirs=theirs,
                unit=unit,
                is_limit=unit == "commits",
            )


def _cost(server: Server, contender: Contender) -> tuple[float, float]:
    """Of one saga: the difference between many rounds and few, so without the preparations."""
    few, many = (_total(server, contender, rounds) for rounds in (1, 4))
    return (many[0] - few[0]) / (3 * SAGAS), (many[1] - few[1]) / (3 * SAGAS)


def _total(server: Server, contender: Contender, rounds: int) -> tuple[int, int]:
    with server.new_database() as database:
        with use_database(database):
            before = _written()
        run_apart(contender, database, rounds)
        time.sleep(REPORTING_SECONDS)
        with use_database(database):
            after = _written()
    return after[0] - before[0], after[1] - before[1]


def _written() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xact_commit, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint "
            "FROM pg_stat_database WHERE datname = current_database()"
        )
        commits, wal = cursor.fetchone()
    connection.close()
    return commits, wal
