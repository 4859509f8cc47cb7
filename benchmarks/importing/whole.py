"""As many orders as the Olist data set has, by the commands that an operator calls: how fast each
is, how much memory its process takes at most, and how long readers wait meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import psycopg
from django.db import connection

from ..report import Row, row_of_less
from ..server import Server, use_database
from . import dataset

ORDERS = 100_000
MANAGE = Path(__file__).parents[2] / "manage.py"
MOST_MB = 300.0
REBUILT_A_SECOND = 20_000.0
LONGEST_READ_MS = 1_000.0
SECONDS_BETWEEN_READS = 0.05
TIMEOUT_SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: float
    megabytes: float


def rows(server: Server) -> Iterator[Row]:
    with TemporaryDirectory() as name, server.new_database() as database, use_database(database):
        folder = Path(name)
        events = dataset.write(folder, ORDERS, Random(2))
        imported = command(folder, "import_olist", name, "--as", "history")
        command(folder, "rebuild_projection", "orders.orders")
        _analyze()
        with reading() as waits:
            rebuilt = command(folder, "rebuild_projection", "orders.orders")
        exported = command(folder, "export_events", "log.jsonl")
    yield rate("rebuild the projection of orders", events, rebuilt)
    for what, spent in (("import", imported), ("rebuild", rebuilt), ("export", exported)):
        yield less(f"{what}, {events:,} events: peak memory", spent.megabytes, MOST_MB, "MB")
    yield less("longest read of orders while they are rebuilt", max(waits), LONGEST_READ_MS, "ms")


def rate(case: str, events: int, spent: Spent) -> Row:
    """By a command, with its start."""
    speed = events / spent.seconds
    return Row(
        suite="import",
        case=f"{case}, {events:,} events",
        against="what is wanted",
        ours=speed,
        theirs=REBUILT_A_SECOND,
        unit="events/s",
        ratio=speed / REBUILT_A_SECOND,
        at_least=1.0,
    )


def less(case: str, ours: float, limit: float, unit: str) -> Row:
    return row_of_less(
        suite="import",
        case=case,
        against=f"at most {limit:,.0f} {unit}",
        ours=ours,
        theirs=limit,
        unit=unit,
        is_limit=True,
    )


def command(folder: Path, *arguments: str) -> Spent:
    """In a process of its own, of whose memory the system keeps the peak."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(MANAGE), *arguments],
        cwd=folder,
        env=os.environ | _environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    watch = threading.Timer(TIMEOUT_SECONDS, process.kill)
    watch.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return Spent(time.perf_counter() - started, usage.ru_maxrss / 1024)


@contextmanager
def reading() -> Iterator[list[float]]:
    """How long each read takes, in milliseconds, until the block ends. Raises where a read finds
    fewer orders than there are."""
    waits: list[float] = []
    missing: list[int] = []
    is_over = threading.Event()
    target = dict(connection.get_connection_params())

    def read() -> None:
        keys = ("dbname", "host", "port", "user", "password")
        given = {key: target[key] for key in keys if target.get(key)}
        with psycopg.connect(**given, autocommit=True) as session:
            while not is_over.wait(SECONDS_BETWEEN_READS):
                started = time.perf_counter()
                row = session.execute("SELECT count(*) FROM orders_ordersummary").fetchone()
                waits.append((time.perf_counter() - started) * 1000)
                if row is None or row[0] < ORDERS:
                    missing.append(row[0] if row else 0)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield waits
    finally:
        is_over.set()
        thread.join()
    if missing or not waits:
        raise RuntimeError(f"Readers found {missing[:3]} of {ORDERS} orders.")


def _environment() -> dict[str, str]:
    given = connection.settings_dict
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    query = urlencode({key: given[name] for name, key in names.items() if given[name]}, safe="/")
    return {
        "DATABASE_URL": f"postgresql:///{given['NAME']}?{query}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "off",
        "SECRET_KEY": "benchmarks",
        # No process shall take these orders for new ones.
        "SAGA_STYLE": "",
    }


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
