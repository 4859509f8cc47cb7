from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from ...store.configured import event_store
from ...streams import check_category
from ...transfer.exporting import FileFormat
from ...transfer.importing import BATCH_SIZE, HistoryImport, candidates
from ...transfer.mapping import Columns, Exported, Mapping, namespace_of
from ...transfer.refusals import RefusalFile
from ...transfer.rows import Rows, csv_rows, json_rows
from ...transfer.source import Source, open_source, plain_name
from ..importing import add_refused, report, shown_on
from ..operating import refusals_as_command_errors
from ..progress import ProgressBar

_COLUMNS = ("stream", "type", "time")


class Command(BaseCommand):
    help = (
        "Adopts events that happened elsewhere, from a CSV or JSON Lines file, which may be gzip. "
        "The file may be one of export_events; of any other, name its columns. Interrupted, it "
        "goes on when it is called again; a second run stores nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=list(FileFormat), help="by its name, if not given")
        parser.add_argument("--delimiter", default=",", help="of CSV; 'tab' is one")
        parser.add_argument("--encoding", default="utf-8-sig")
        parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="in events")
        add_refused(parser)
        parser.add_argument(
            "--unchecked",
            action="store_true",
            help="take events that don't fit the class registered for their type",
        )
        group = parser.add_argument_group("columns", "or keys, in JSON Lines")
        group.add_argument("--stream", help="names the stream; with --category, its id")
        group.add_argument("--category", help="aggregate type of all streams")
        group.add_argument("--type", help="type of the event")
        group.add_argument("--time", help="when it happened")
        group.add_argument("--time-format", help="as for strptime; ISO 8601 if not given")
        group.add_argument("--zone", help="of times without one, such as Europe/Amsterdam")
        group.add_argument("--event-id", help="made of the row's number, if not given")
        group.add_argument("--namespace", help="of such ids; the file's name, if not given")
        group.add_argument("--correlation", help="what belongs together; if not given, a stream")
        group.add_argument("--data", help="JSON object; if not given, all other columns")

    def handle(self, *, file: Path, batch_size: int, **options: Any) -> None:
        if batch_size < 1:
            raise CommandError("--batch-size: must be at least 1.")
        mapping = _mapping(file, options)
        refused = options["refused"] or Path(f"{plain_name(file)}.refused.jsonl")
        with (
            refusals_as_command_errors(),
            open_source(file, encoding=options["encoding"]) as source,
            RefusalFile(refused) as refusals,
        ):
            bar = ProgressBar(self.stdout, lambda: source.share)
            run = HistoryImport(
                event_store(),
                refuse=refusals.add,
                progress=shown_on(bar),
                batch_size=batch_size,
                is_checked=not options["unchecked"],
            )
            run.run(candidates(_rows(source, file, mapping, options), mapping))
        bar.finish(run.tally.events)
        report(self.stdout, run.tally, bar, refused)


def _rows(source: Source, file: Path, mapping: Mapping, options: dict[str, Any]) -> Rows:
    name = options["format"] or Path(plain_name(file)).suffix.removeprefix(".")
    if name == FileFormat.JSONL:
        return json_rows(source)
    if name != FileFormat.CSV:
        raise CommandError(f"{file.name} is neither .csv nor .jsonl: say which with --format.")
    delimiter = {"tab": "\t"}.get(options["delimiter"], options["delimiter"])
    if len(delimiter) != 1:
        raise CommandError(f"--delimiter: {delimiter!r} isn't one character.")
    return csv_rows(source, delimiter=delimiter, required=mapping.required)


def _mapping(file: Path, options: dict[str, Any]) -> Mapping:
    of_columns = (*_COLUMNS, "category", "time_format", "zone", "event_id", "namespace")
    if not any(options[name] for name in (*of_columns, "correlation", "data")):
        return Exported()
    if missing := [f"--{name}" for name in _COLUMNS if not options[name]]:
        raise CommandError(f"Which columns are they? Say it with {', '.join(missing)}.")
    if options["category"]:
        with refusals_as_command_errors():
            check_category(options["category"])
    return Columns(
        **{name: options[name] for name in (*_COLUMNS, "category", "event_id", "time_format")},
        correlation=options["correlation"],
        data=options["data"],
        zone=_zone(options["zone"]),
        namespace=namespace_of(options["namespace"] or plain_name(file)),
    )


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise CommandError(f"--zone: {name!r} is no time zone, such as Europe/Berlin.") from None
