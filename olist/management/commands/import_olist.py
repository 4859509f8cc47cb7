from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events.management.importing import add_refused, report, shown_on
from events.management.operating import refusals_as_command_errors
from events.management.progress import ProgressBar
from events.store.configured import event_store
from events.transfer.importing import HistoryImport
from events.transfer.refusals import RefusalFile
from events.transfer.rows import Refusal, csv_rows
from olist.history import candidates
from olist.orders import OlistOrder, orders_of
from olist.outcomes import outcomes
from olist.replay import Replay
from olist.reporting import written
from olist.tables import ORDER_COLUMNS, ORDERS, Tables, open_table


class Command(BaseCommand):
    help = (
        "Takes over the orders of the Olist data set, CSV or gzip: as the history that they are, "
        "with the times of then, or by placing them again. Interrupted, it goes on when it is "
        "called again; a second run stores nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="where the files of the data set are")
        parser.add_argument(
            "--as",
            dest="kind",
            choices=["history", "commands"],
            required=True,
            help="history: the events that happened; commands: each order is placed, and the shop "
            "works until all are seen through",
        )
        parser.add_argument(
            "--month", metavar="2017-11", help="of commands: only orders that were bought in it"
        )
        add_refused(parser)

    def handle(
        self, *, directory: Path, kind: str, month: str | None, refused: Path | None, **options: Any
    ) -> None:
        if month is not None and (kind == "history" or not re.fullmatch(r"\d{4}-\d\d", month)):
            raise CommandError("--month is one like 2017-11, and for --as commands.")
        refused = refused or Path(f"{ORDERS}.refused.jsonl")
        with refusals_as_command_errors(), RefusalFile(refused) as refusals:
            if kind == "history":
                self._import_history(directory, refusals)
            else:
                self._place(directory, month, refusals)

    def _import_history(self, directory: Path, refusals: RefusalFile) -> None:
        with open_table(directory, ORDERS) as source:
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
        report(self.stdout, run.tally, bar, refusals.path)

    def _place(self, directory: Path, month: str | None, refusals: RefusalFile) -> None:
        tables, share = Tables.read(directory), 0.0

        def read() -> Iterator[OlistOrder | Refusal]:
            nonlocal share
            with open_table(directory, ORDERS) as source:
                rows = csv_rows(source, required=ORDER_COLUMNS)
                for each in orders_of(rows, tables, month):
                    share = source.share
                    yield each

        bar = ProgressBar(self.stdout, lambda: share, unit="orders")
        run = Replay(
            read,
            refuse=refusals.add,
            progress=lambda tally: bar.show(tally.placed + tally.known),
        )
        tally = run.run()
        bar.finish(tally.placed + tally.known)
        found = outcomes(month)
        self.stdout.write(written(tally, found, bar.seconds, refusals.path))
        if not found.hold:
            raise CommandError("Not as the data set says: " + "; ".join(found.differences))
