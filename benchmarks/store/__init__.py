"""The event store: appends, loads and reads, beside `eventsourcing`, psycopg and Django's ORM."""

from __future__ import annotations

from collections.abc import Iterator

from ..report import Row
from ..server import Server
from . import appending, loading, open_append, reading, table_size


def rows(server: Server) -> Iterator[Row]:
    for cases in (appending, loading, reading, open_append, table_size):
        yield from cases.rows(server)
