from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from ...conf import events_settings
from ...explorer.json_fields import JsonField, add_index, drop_index, indexed_fields


class Command(BaseCommand):
    help = (
        "Fields of events that the explorer searches by an index: list, add or drop them. Each "
        "append of an event that has the field pays a little for it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="those that have an index")
        for name, help_text in (("add", "make one, while others append"), ("drop", "remove one")):
            action = actions.add_parser(name, help=help_text)
            action.add_argument("field", help="such as data.order_id or metadata.user_id")

    def handle(self, *, action: str, field: str = "", **options: Any) -> None:
        if connections[events_settings().database].vendor != "postgresql":
            raise CommandError("Only PostgreSQL can have an index of a field in JSON.")
        if action == "list":
            self.stdout.write("\n".join(indexed_fields()) or "none")
            return
        parsed = JsonField.parse(field)
        if parsed is None:
            raise CommandError(f"{field!r} isn't of the form data.name or metadata.name.inner.")
        drop_index(parsed)  # what was interrupted is there, and unusable
        if action == "add":
            add_index(parsed)
        self.stdout.write(f"{parsed} {'has an index' if action == 'add' else 'has no index'} now.")
