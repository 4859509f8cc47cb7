"""Orders from files into the log, beside a bare COPY of the same rows.

Ours reads the files, makes events of them, checks that none is stored yet, counts the streams up
and tells readers; COPY is given lines that were made before, for the same table and indexes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from django.db import connection

from events.store.configured import event_store
from events.store.copying import COPY, copy_line
from events.store.history import Place, name_parts, prepare_past
from events.transfer.importing import Candidate, HistoryImport
from events.transfer.rows import csv_rows
from olist.history import candidates
from olist.tables import ORDER_COLUMNS, ORDERS, Tables, open_table

from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from . import dataset

ORDERS_A_FILE = 5_000
ROUNDS = 9
#: So short that each turn takes one file.
SECONDS_A_TURN = 0.001


def rows(server: Server) -> Iterator[Row]:
    bare = "bare COPY"
    with TemporaryDirectory() as name:
        directories = [Path(name) / str(number) for number in range(1 + ROUNDS)]
        chance = Random(1)
        events = [dataset.write(each, ORDERS_A_FILE, chance) for each in directories]
        speeds = race(
            server,
            [
                Contender("ours", partial(prepare_import, directories)),
                Contender(bare, partial(prepare_copy, directories)),
            ],
            units=sum(events) // len(events),
            rounds=ROUNDS,
            seconds=SECONDS_A_TURN,
        )
    yield from rows_against(
        {bare: 0.5}, speeds, suite="import", case="import history", unit="events/s"
    )


def prepare_import(directories: list[Path]) -> Operation:
    remaining = iter(directories)

    def import_next() -> None:
        run = HistoryImport(event_store(), refuse=_refuse, is_checked=False)
        with open_table(directory := next(remaining), ORDERS) as source:
            told = csv_rows(source, required=ORDER_COLUMNS)
            run.run(candidates(told, Tables.read(directory)))

    return import_next


def prepare_copy(directories: list[Path]) -> Operation:
    remaining = iter([lines_of(number, each) for number, each in enumerate(directories)])

    def copy_next() -> None:
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.write(next(remaining))

    return copy_next


def lines_of(number: int, directory: Path) -> str:
    """Of all events of the files, as an import would write them."""
    versions: Counter[tuple[str, str]] = Counter()
    position, lines = 10 * ORDERS_A_FILE * number, []
    with open_table(directory, ORDERS) as source:
        told = csv_rows(source, required=ORDER_COLUMNS)
        for row in candidates(told, Tables.read(directory)):
            assert isinstance(row, Candidate)
            for event in map(prepare_past, row.events):
                position += 1
                place = Place(position, versions[name_parts(event)])
                versions[name_parts(event)] += 1
                lines.append(copy_line(event, place, event.moment))
    return "".join(lines)


def _refuse(refusal: object) -> None:
    raise RuntimeError(f"A made-up row is refused: {refusal}")
