"""`dbos`: the same steps as a durable workflow, in the faster of its two ways: plain steps, each of
which writes its row in a commit of its own. (Steps in a datasource are exactly once, as ours are,
and slower.)"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from dbos import DBOS, DBOSConfig, SetWorkflowID
from django.db import connection

from ..harness import Operation

INSERT = "INSERT INTO saga_benchmarks_step_done (order_id, step) VALUES (%s, %s)"

_threads = threading.local()
_server: dict[str, str] = {}


class NoCarrier(Exception):
    pass


def write_row(order_id: str, step: str) -> None:
    if not hasattr(_threads, "connection"):
        _threads.connection = psycopg.connect(**_server, autocommit=True)  # type: ignore[arg-type]
    _threads.connection.execute(INSERT, (order_id, step), prepare=True)


@DBOS.step()
def reserve(order_id: str) -> None:
    write_row(order_id, "reserve")


@DBOS.step()
def release(order_id: str) -> None:
    write_row(order_id, "release")


@DBOS.step()
def charge(order_id: str) -> None:
    write_row(order_id, "charge")


@DBOS.step()
def refund(order_id: str) -> None:
    write_row(order_id, "refund")


@DBOS.step()
def ship(order_id: str, can_be_shipped: bool) -> None:
    if not can_be_shipped:
        raise NoCarrier("Nobody goes there.")
    write_row(order_id, "ship")


@DBOS.step()
def invoice(order_id: str) -> None:
    write_row(order_id, "invoice")


@DBOS.step()
def complete(order_id: str) -> None:
    write_row(order_id, "complete")


@DBOS.workflow()
def process_order(order_id: str, can_be_shipped: bool) -> bool:
    reserve(order_id)
    charge(order_id)
    try:
        ship(order_id, can_be_shipped)
    except NoCarrier:
        refund(order_id)
        release(order_id)
        return False
    invoice(order_id)
    complete(order_id)
    return True


def prepare(workflows: int, threads: int, fails_one_in: int | None = None) -> Operation:
    """Starts so many workflows, and runs them to the end."""
    launch()
    run_all = in_turn if threads == 1 else ThreadPoolExecutor(threads).map

    def start_and_finish() -> None:
        fates = [fails_one_in is None or number % fails_one_in > 0 for number in range(workflows)]
        completed = list(run_all(run, fates))
        if completed != fates:
            raise RuntimeError(f"{completed.count(True)} of {workflows} workflows are completed.")

    return start_and_finish


def run(can_be_shipped: bool) -> bool:
    order_id = str(uuid.uuid4())
    with SetWorkflowID(order_id):
        return process_order(order_id, can_be_shipped)


def in_turn(function: Callable[[bool], bool], fates: list[bool]) -> list[bool]:
    return [function(fate) for fate in fates]


def launch() -> None:
    settings = connection.settings_dict
    _server.update(
        host=settings["HOST"],
        port=str(settings["PORT"]),
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    )
    url = (
        f"postgresql+psycopg://{_server['user']}:{_server['password']}@/{_server['dbname']}"
        f"?host={_server['host']}&port={_server['port']}"
    )
    # No log lines to the terminal, no admin server, no tracing: the work alone.
    DBOS(config=DBOSConfig(name="benchmarks", system_database_url=url, log_level="ERROR"))
    DBOS.launch()
