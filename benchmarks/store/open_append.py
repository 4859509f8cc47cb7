"""Whether writers are slowed by an append to another stream whose transaction stays open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from . import ours

SECONDS_OPEN = 3.0


def rows(server: Server) -> Iterator[Row]:
    alone = "the same with none open"
    speeds = race(
        server,
        [
            Contender("ours", prepare_append_in_transaction, meanwhile=an_open_append),
            Contender(alone, prepare_append_in_transaction),
        ],
        processes=2,
        rounds=5,
        seconds=SECONDS_OPEN,
    )
    yield from rows_against(
        {alone: 0.9},
        speeds,
        suite="store",
        case=f"append in a transaction while another append stays open for {SECONDS_OPEN:.0f} s",
        unit="events/s",
    )


def prepare_append_in_transaction() -> Operation:
    return transaction.atomic(ours.prepare_append(1))


@contextmanager
def an_open_append() -> Iterator[None]:
    with transaction.atomic():
        ours.prepare_append(1)()
        yield
