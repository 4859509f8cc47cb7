from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from ...recorded_event import RecordedEvent
from ...store.base import EventStore
from ...store.configured import event_store
from ...streams import StreamName
from ...transfer.exporting import FileFormat, export_events
from ...transfer.source import plain_name
from ...transfer.target import open_target
from ..operating import refusals_as_command_errors
from ..progress import ProgressBar


class Command(BaseCommand):
    help = (
        "Writes events to a file, in the order of the log, for import_events and others. "
        "What was interrupted leaves no file, but one that ends with .part."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="gzip if it ends with .gz; stdout, if not given"
        )
        parser.add_argument("--format", choices=list(FileFormat), help="by its name, or jsonl")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--category", help="events of this aggregate type")
        chosen.add_argument("--stream", help="events of one stream, such as Order-42")
        parser.add_argument("--from-position", type=int, metavar="N", help="in the log, inclusive")
        parser.add_argument("--to-position", type=int, metavar="N", help="in the log, inclusive")
        parser.add_argument(
            "--with-place",
            action="store_true",
            help="with position, sequence number and time of recording; another log has its own",
        )

    def handle(self, *, file: Path | None, with_place: bool, **options: Any) -> None:
        store = event_store()
        first = options["from_position"] or 1
        last = options["to_position"] or store.high_water_mark()
        reached = first
        # The events themselves may be on stdout.
        bar = ProgressBar(self.stderr, lambda: min((reached - first + 1) / (last - first + 1), 1))

        def show(event: RecordedEvent, number: int) -> None:
            nonlocal reached
            reached = event.position
            bar.show(number)

        with refusals_as_command_errors():
            events = _events(store, options)
            with open_target(file, _Plain(self.stdout)) as out:
                number = export_events(
                    events,
                    out,
                    file_format=_format(file, options["format"]),
                    with_place=with_place,
                    progress=show,
                )
        reached = last
        bar.finish(number)
        self.stderr.write(f"{number:,} events in {bar.seconds:.1f} s ({bar.rate(number):,.0f}/s).")


class _Plain:
    """Output without the line end that Django adds."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out

    def write(self, text: str) -> None:
        self._out.write(text, ending="")


def _events(store: EventStore, options: dict[str, Any]) -> Iterator[RecordedEvent]:
    first, last = options["from_position"], options["to_position"]
    if options["stream"] is None:
        return store.read_log(
            category=options["category"],
            from_position=1 if first is None else first,
            to_position=last,
        )
    if first is not None or last is not None:
        raise CommandError("--stream: a stream is exported whole, without positions.")
    return store.read_stream(StreamName.parse(options["stream"]))


def _format(file: Path | None, given: str | None) -> FileFormat:
    if given is not None:
        return FileFormat(given)
    if file is None:
        return FileFormat.JSONL
    try:
        return FileFormat(Path(plain_name(file)).suffix.removeprefix("."))
    except ValueError:
        raise CommandError(
            f"{file.name} is neither .csv nor .jsonl: say which with --format."
        ) from None
