"""Real orders at real size: history in, the projection of orders rebuilt, the log written out.

The orders are made up, in the form and the proportions of the Olist data set.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..report import Row
from ..server import Server


def rows(server: Server) -> Iterator[Row]:
    # Here, because these import models.
    from . import copying, whole

    for cases in (copying, whole):
        yield from cases.rows(server)
