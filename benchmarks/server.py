"""Databases to measure in, on the server that DATABASE_URL names. All are dropped again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from django.core.management import call_command
from django.db import connection


@contextmanager
def benchmark_server() -> Iterator[Server]:
    """Its account must be a superuser, as that of a private server is."""
    if connection.vendor != "postgresql":
        sys.exit(
            "The benchmarks measure on PostgreSQL. Use `make bench`, which starts a server for "
            "them, or set DATABASE_URL."
        )
    with _new_database(f"benchmarks_{os.getpid()}") as template:
        with use_database(template):
            call_command("migrate", run_syncdb=True, verbosity=0)
        yield Server(template)


class Server:
    def __init__(self, template: str) -> None:
        self._template = template
        self._numbers = count(1)

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """The name of a database with the project's empty tables, until the block ends."""
        with _new_database(f"{self._template}_{next(self._numbers)}", self._template) as name:
            yield name

    def checkpoint(self) -> None:
        """Writes now what would be written during the measurement otherwise."""
        _execute("CHECKPOINT")


@contextmanager
def use_database(name: str) -> Iterator[None]:
    """Django's connection leads there until the block ends, and is closed at both ends."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def _new_database(name: str, template: str = "template1") -> Iterator[str]:
    quoted, quoted_template = map(connection.ops.quote_name, (name, template))
    _execute(f"CREATE DATABASE {quoted} TEMPLATE {quoted_template}")
    try:
        yield name
    finally:
        _execute(f"DROP DATABASE {quoted} WITH (FORCE)")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    # Processes that start now must not share the connection.
    connection.close()
