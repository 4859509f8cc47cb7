"""Durable subscriptions: how fast and how soon, beside django-q2 and `eventsourcing`."""

from __future__ import annotations

from collections.abc import Iterator

from ..report import Row
from ..server import Server


def rows(server: Server) -> Iterator[Row]:
    # Here, because this is a Django app as well, which is imported before there can be models.
    from . import appending, handling, latency, memory, passing, sharing

    for cases in (handling, passing, sharing, appending, latency, memory):
        yield from cases.rows(server)
