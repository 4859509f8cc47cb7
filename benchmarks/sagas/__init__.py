"""Sagas: how fast, at what cost and how soon, beside workflows of `dbos`."""

from __future__ import annotations

from collections.abc import Iterator

from ..report import Row
from ..server import Server


def rows(server: Server) -> Iterator[Row]:
    # Here, because this is a Django app as well, which is imported before there can be models.
    from . import cost, crowd, latency, speed

    for cases in (speed, cost, latency, crowd):
        yield from cases.rows(server)
