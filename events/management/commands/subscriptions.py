"""Lists subscriptions with how they are doing; pauses, resumes, resets or forgets one."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...bus.subscription import Start
from ...delivery import operations
from ...delivery.metrics import SubscriptionMetrics, snapshot
from ..operating import actor_of, add_actor, refusals_as_command_errors
from ..table import aligned

_TITLES = (
    "name",
    "delivery",
    "state",
    "lanes",
    "position",
    "head",
    "lag",
    "seconds",
    "rate",
    "retrying",
    "parked",
)


class Command(BaseCommand):
    help = (
        "Lists subscriptions: their state, up to where they are, and how far that is behind "
        "the head of the log, in positions and in seconds. With an operation, does it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch", type=float, metavar="N", help="again every N seconds, with events a second"
        )
        parser.add_argument("--json", action="store_true", help="print all that is known, as JSON")
        choices = parser.add_subparsers(dest="operation", metavar="pause|resume|reset|forget")
        for name, text in {
            "pause": "nothing is handled until it is resumed",
            "resume": "after a pause, or after it has stopped by itself",
            "reset": "go on from another position, without its failed events",
            "forget": "remove what is stored of a subscription that has no code any more",
        }.items():
            operation = choices.add_parser(name, help=text)
            operation.add_argument("name", metavar="NAME")
            operation.add_argument("--reason", default="", required=name != "resume")
            add_actor(operation)
            if name == "reset":
                operation.add_argument(
                    "--to",
                    required=True,
                    metavar="beginning|now|POSITION",
                    help="the first event that it gets",
                )

    def handle(self, *, operation: str | None, **options: Any) -> None:
        if operation is None:
            self._list(**options)
            return
        name, who = options["name"], actor_of(options["actor"])
        with refusals_as_command_errors():
            arguments: dict[str, Any] = {"actor": who, "reason": options["reason"]}
            if operation == "reset":
                arguments["to"] = _start(options["to"])
            getattr(operations, operation)(name, **arguments)
        self.stdout.write(f"{name}: {operation} done.")

    def _list(self, *, watch: float | None, json: bool, **options: Any) -> None:
        if watch is not None and watch <= 0:
            raise CommandError("--watch: expected more than 0 seconds.")
        before: list[SubscriptionMetrics] = []
        while True:
            now = snapshot()
            self.stdout.write(_as_json(now) if json else _as_table(now, before))
            if watch is None:
                return
            before = now
            try:
                time.sleep(watch)
            except KeyboardInterrupt:
                return


def _start(text: str) -> Start | int:
    if text in (start.value for start in Start):
        return Start(text)
    try:
        return int(text)
    except ValueError:
        raise CommandError(f"--to: {text!r} is neither beginning nor now nor a position.") from None


def _as_json(found: list[SubscriptionMetrics]) -> str:
    return json.dumps([each.to_dict() for each in found], default=str, indent=2)


def _as_table(found: list[SubscriptionMetrics], before: list[SubscriptionMetrics]) -> str:
    earlier = {each.name: each for each in before}
    rows = [
        (
            each.name,
            each.delivery,
            each.status if each.has_code else f"{each.status}, no code",
            len(each.lanes) or None,
            each.position,
            each.head if each.lanes else None,
            each.lag,
            each.lag_seconds,
            _rate(each, earlier.get(each.name)),
            each.retrying,
            each.parked,
        )
        for each in found
    ]
    return aligned(_TITLES, rows) if rows else "There are no subscriptions."


def _rate(now: SubscriptionMetrics, before: SubscriptionMetrics | None) -> float | None:
    if before is None or not now.lanes:
        return None
    seconds = (now.measured_at - before.measured_at).total_seconds()
    return (now.handled - before.handled) / seconds if seconds > 0 else None
