"""Lists sagas, shows one, and does to it what an operator may."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.explorer.index_range import Cursor
from events.explorer.paging import read_page
from events.management.operating import actor_of, add_actor, refusals_as_command_errors
from events.management.table import aligned

from ... import operations
from ...clock import database_time
from ...explorer.details import find_plan, find_saga
from ...explorer.queries import instances, range_of
from ...models import SagaInstance
from ...progress import step_views
from ...representations import instance_to_json, step_to_json
from ...state import Status

_TITLES = ("saga", "status", "under way", "open items", "started", "updated")
_STEP_TITLES = ("step", "stands", "attempts", "undo attempts", "due")


class Command(BaseCommand):
    help = "Processes of several steps: where they stand, and what an operator may do to one."

    def add_arguments(self, parser: CommandParser) -> None:
        choices = parser.add_subparsers(dest="operation", required=True)

        listing = choices.add_parser("list", help="the newest first")
        listing.add_argument("--status", choices=[status.value for status in Status])
        listing.add_argument("--type", metavar="SAGA_TYPE")
        listing.add_argument(
            "--stuck",
            type=float,
            metavar="MINUTES",
            help="those that wait for a person, or have recorded nothing for so long",
        )
        listing.add_argument("--limit", type=int, default=50)
        listing.add_argument("--json", action="store_true")

        show = choices.add_parser("show", help="one with its steps, open items and state")
        show.add_argument("id", metavar="ID")
        show.add_argument("--json", action="store_true")

        for name, text in {
            "retry": "another attempt at a step now, or at undoing it",
            "skip": "you have seen to a step yourself",
            "compensate": "turn back, and undo what was done",
            "abort": "the same; with --force also where not all can be undone",
            "release": "what blocked it is mended",
        }.items():
            operation = choices.add_parser(name, help=text)
            operation.add_argument("id", metavar="ID")
            if name in ("retry", "skip"):
                operation.add_argument("step", metavar="STEP")
            if name == "skip":
                operation.add_argument("--evidence", required=True)
                operation.add_argument(
                    "--learned", default="{}", metavar="JSON", help="what its answer tells"
                )
            else:
                operation.add_argument("--reason", required=True)
            if name == "abort":
                operation.add_argument("--force", action="store_true")
            add_actor(operation)

    def handle(self, *, operation: str, **options: Any) -> None:
        with refusals_as_command_errors():
            if operation == "list":
                self._list(**options)
            elif operation == "show":
                self._show(**options)
            else:
                done = _act(operation, **options)
                self.stdout.write(
                    f"{options['id']}: {operation} done." if done else "It was so already."
                )

    def _list(self, *, json: bool, limit: int, **options: Any) -> None:
        if limit < 1:
            raise CommandError("--limit: expected 1 or more.")
        rows = _found(limit, **options)
        if json:
            self.stdout.write(_as_json([instance_to_json(row) for row in rows]))
        elif rows:
            self.stdout.write(aligned(_TITLES, [_cells(row) for row in rows]))
        else:
            self.stdout.write("There are none.")

    def _show(self, *, id: str, json: bool, **options: Any) -> None:
        row = instances().filter(pk=id).first()
        if row is None:
            raise CommandError(f"There is no saga {id}.")
        found = {**instance_to_json(row), **_from_stream(id)}
        if json:
            self.stdout.write(_as_json(found))
            return
        steps, state = found.pop("steps"), found.pop("state", None)
        for title, value in found.items():
            self.stdout.write(f"{title}: {_text(value)}")
        rows = [
            (s["name"], s["standing"], s["do_attempts"], s["undo_attempts"], s["due_at"])
            for s in steps
        ]
        self.stdout.write(f"\n{aligned(_STEP_TITLES, rows)}\n\nstate: {_text(state)}")


def _found(
    limit: int, *, status: str | None, type: str | None, stuck: float | None, **options: Any
) -> list[SagaInstance]:
    if stuck is not None and stuck < 0:
        raise CommandError("--stuck: expected 0 minutes or more.")
    quiet_since = None if stuck is None else database_time() - timedelta(minutes=stuck)
    index_range, further = range_of(status=status, saga_type=type, quiet_since=quiet_since)
    rows: list[SagaInstance] = []
    cursor = Cursor()
    while len(rows) < limit:
        page = read_page(instances(), index_range, cursor, limit - len(rows), further)
        rows += page.rows
        if page.next is None:
            break
        cursor = Cursor(key=page.next)
    return rows


def _from_stream(saga_id: str) -> dict[str, Any]:
    saga, problem = find_saga(saga_id)
    if saga is None or saga.state is None:
        return {"problem": problem, "steps": []}
    plan, why_not = find_plan(saga)
    return {
        "pivot_passed": saga.state.pivot_passed,
        "blocked_by": saga.state.blocked_by,
        "problem": why_not,
        "state": saga.state.data,
        "steps": [step_to_json(view) for view in step_views(plan, saga.state)],
    }


def _act(operation: str, *, id: str, actor: str | None, **options: Any) -> bool:
    who = actor_of(actor)
    if operation == "skip":
        learned = _learned(options["learned"])
        return operations.skip_step(
            id, options["step"], operator=who, evidence=options["evidence"], learned=learned
        )
    reason = options["reason"]
    if operation == "retry":
        return operations.retry_step(id, options["step"], operator=who, reason=reason)
    if operation == "abort":
        return operations.abort(id, operator=who, reason=reason, force=options["force"])
    do: Callable[..., bool] = getattr(operations, operation)
    return do(id, operator=who, reason=reason)


def _learned(text: str) -> dict[str, Any]:
    try:
        learned = json.loads(text)
    except ValueError as error:
        raise CommandError(f"--learned: {text!r} isn't JSON: {error}") from error
    if not isinstance(learned, dict):
        raise CommandError(f"--learned: expected a JSON object, not {text!r}")
    return learned


def _cells(row: SagaInstance) -> tuple[object, ...]:
    return (
        row.saga_id,
        row.status,
        ", ".join(row.under_way) or None,
        ", ".join(row.open_items) or None,
        f"{row.started_at:%Y-%m-%d %H:%M:%S}",
        f"{row.updated_at:%Y-%m-%d %H:%M:%S}",
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    return json.dumps(value, default=str, indent=2, ensure_ascii=False)
