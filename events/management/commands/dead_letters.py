"""Lists events that could not be handled; retries, discards or edits them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...delivery import dead_letters
from ...delivery.dead_letters import Choice, Outcome
from ...exceptions import EventsError
from ...models import FailedEvent
from ...streams import StreamName
from ..operating import actor_of, add_actor, refusals_as_command_errors
from ..table import aligned

_MAX_WAITING_SHOWN = 10
_TITLES = ("id", "subscription", "event", "stream", "position", "status", "attempts", "group")


class Command(BaseCommand):
    help = (
        "Events that a subscription could not handle. Those with the status 'dead' wait for you; "
        "'retrying' ones are tried again by themselves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        operations = parser.add_subparsers(dest="operation", required=True)

        listing = operations.add_parser("list", help="the oldest first")
        _add_filters(listing)
        listing.add_argument("--status", choices=FailedEvent.Status.values)
        listing.add_argument("--limit", type=int, default=50)
        listing.add_argument("--json", action="store_true")

        show = operations.add_parser("show", help="one with its error, its data, and what waits")
        show.add_argument("id", type=int, metavar="ID")

        for name, text in {
            "retry": "handle them again at once, with all attempts before them",
            "discard": "pass them over for good; what waited behind them goes on",
        }.items():
            bulk = operations.add_parser(name, help=text)
            bulk.add_argument("ids", type=int, nargs="*", metavar="ID")
            _add_filters(bulk)
            bulk.add_argument("--all", action="store_true", help="all dead ones of a subscription")
            bulk.add_argument("--reason", default="", required=name == "discard")
            add_actor(bulk)

        edit = operations.add_parser("edit", help="handle it with other data; the log stays")
        edit.add_argument("id", type=int, metavar="ID")
        edit.add_argument("--data", required=True, metavar="FILE|-", help="JSON, all fields")
        edit.add_argument("--reason", default="")
        add_actor(edit)

    def handle(self, *, operation: str, **options: Any) -> None:
        with refusals_as_command_errors():
            getattr(self, f"_{operation}")(**options)

    def _list(self, *, status: str | None, limit: int, json: bool, **options: Any) -> None:
        rows = list(dead_letters.find(status=status, **_filters(options))[: max(limit, 0)])
        if json:
            self.stdout.write(_as_json([_row(row) for row in rows]))
        elif rows:
            self.stdout.write(aligned(_TITLES, [tuple(_row(row).values())[:8] for row in rows]))
        else:
            self.stdout.write("There are none.")

    def _show(self, *, id: int, **options: Any) -> None:
        row = dead_letters.find().filter(pk=id).first()
        if row is None:
            raise CommandError(f"There is no failed event {id}.")
        for title, value in _row(row).items():
            self.stdout.write(f"{title}: {value}")
        self.stdout.write(f"\n{row.traceback or row.error_message}\n\ndata: {_data(row)}")
        waiting = dead_letters.waiting_behind(row, _MAX_WAITING_SHOWN + 1)
        for event in waiting[:_MAX_WAITING_SHOWN]:
            self.stdout.write(f"waits behind it: {event.event_type} at {event.position}")
        if len(waiting) > _MAX_WAITING_SHOWN:
            self.stdout.write("... and more")

    def _retry(self, *, actor: str | None, reason: str, **options: Any) -> None:
        chosen = _chosen(options)
        self._report(dead_letters.retry(chosen, actor=actor_of(actor), reason=reason))

    def _discard(self, *, actor: str | None, reason: str, **options: Any) -> None:
        chosen = _chosen(options)
        self._report(dead_letters.discard(chosen, actor=actor_of(actor), reason=reason))

    def _edit(self, *, id: int, data: str, actor: str | None, reason: str, **options: Any) -> None:
        [choice] = _by_id([id])
        edited = _read_json(data)
        who = actor_of(actor)
        self._report(dead_letters.edit_and_retry(choice, edited, actor=who, reason=reason))

    def _report(self, outcome: Outcome) -> None:
        self.stdout.write(f"{len(outcome.done)} done.")
        for skipped in outcome.skipped:
            self.stderr.write(f"{skipped.id}: {skipped.why}")
        if outcome.skipped:
            raise CommandError(f"{len(outcome.skipped)} skipped.")


def _add_filters(parser: CommandParser) -> None:
    parser.add_argument("-s", "--subscription", metavar="NAME")
    parser.add_argument("--group", metavar="F", help="the fingerprint that errors of a kind share")
    parser.add_argument("--type", metavar="EVENT_TYPE")
    parser.add_argument("--stream", metavar="STREAM", help="as Order-42")


def _filters(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "subscription": options["subscription"],
        "fingerprint": options["group"],
        "event_type": options["type"],
        "stream": StreamName.parse(options["stream"]) if options["stream"] else None,
    }


def _chosen(options: dict[str, Any]) -> list[Choice]:
    """By their ids, whatever their status, or else all dead ones that meet the conditions."""
    filters = _filters(options)
    narrowed = any(value is not None for value in filters.values())
    if options["ids"]:
        if narrowed or options["all"]:
            raise CommandError("Choose by ids or by conditions, not by both.")
        return _by_id(options["ids"])
    if options["all"] and filters["subscription"] is None:
        raise CommandError("--all: say of which subscription, with -s NAME.")
    if not options["all"] and all(
        value is None for name, value in filters.items() if name != "subscription"
    ):
        raise CommandError("Choose some: ids, --group, --type, --stream, or --all -s NAME.")
    return dead_letters.choose(dead_letters.find(status=FailedEvent.Status.DEAD, **filters))


def _by_id(ids: list[int]) -> list[Choice]:
    found = {each.id: each for each in dead_letters.choose(dead_letters.find().filter(pk__in=ids))}
    return [found.get(number) or Choice(number, "") for number in ids]


def _row(row: FailedEvent) -> dict[str, Any]:
    return {
        "id": row.pk,
        "subscription": row.subscription_id,
        "event_type": row.event_type,
        "stream": f"{row.aggregate_type}-{row.aggregate_id}",
        "position": row.position,
        "status": row.status,
        "attempts": row.attempts,
        "group": row.fingerprint,
        "blocks": row.blocks,
        "event_id": row.event_id,
        "sequence_number": row.sequence_number,
        "next_attempt_at": row.next_attempt_at,
        "error_type": row.error_type,
        "error_message": row.error_message,
        "first_failed_at": row.first_failed_at,
        "last_failed_at": row.last_failed_at,
        "edited": row.edited,
    }


def _data(row: FailedEvent) -> str:
    try:
        return _as_json(dead_letters.data_to_edit(row))
    except EventsError as error:
        return str(error)


def _as_json(value: Any) -> str:
    return json.dumps(value, default=str, indent=2, ensure_ascii=False)


def _read_json(name: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if name == "-" else Path(name).read_text())
    except OSError as error:
        raise CommandError(f"--data: {error}") from error
    except ValueError as error:
        raise CommandError(f"--data: {name} isn't JSON: {error}") from error
