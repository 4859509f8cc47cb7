"""`flush`, which Django's TransactionTestCase runs after each test, for an append-only log."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db import connections

from ...store.schema import sqlite_triggers_suspended


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "sqlite" or "events" not in connection.introspection.table_names():
            super().handle(**options)
            return
        with sqlite_triggers_suspended(connection):
            super().handle(**options)
