from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from events.management.importing import add_refused, report, shown_on
from events.management.operating import refusals_as_command_errors
from events.management.progress import ProgressBar
from events.store.configured import event_store
from events.transfer.importing import HistoryImport
from events.transfer.refusals import RefusalFile
from events.transfer.rows import csv_rows
from olist.history import candidates
from olist.tables import ORDER_COLUMNS, ORDERS, Tables, open_table


class Command(BaseCommand):
    help = (
        "Takes over the orders of the Olist data set, CSV or gzip, with the times of then. "
        "Interrupted, it goes on when it is called again; a second run stores nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="where the files of the data set are")
        parser.add_argument(
            "--as",
            dest="kind",
            choices=["history"],
            required=True,
            help="history: the events that happened",
        )
        add_refused(parser)

    def handle(self, *, directory: Path, refused: Path | None, **options: Any) -> None:
        refused = refused or Path(f"{ORDERS}.refused.jsonl")
        with (
            refusals_as_command_errors(),
            open_table(directory, ORDERS) as source,
            RefusalFile(refused) as refusals,
        ):
            bar = ProgressBar(self.stdout, lambda: source.share)
            rows = csv_rows(source, required=ORDER_COLUMNS)
            run = HistoryImport(
                event_store(),
                refuse=refusals.add,
                progress=shown_on(bar),
                is_checked=False,
            )
            run.run(candidates(rows, Tables.read(directory)))
        bar.finish(run.tally.events)
        report(self.stdout, run.tally, bar, refused)
