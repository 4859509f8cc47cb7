"""The relay and consumers, beside pika and kombu, with a broker on the same machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from ..report import Row
from ..server import Server


def rows(server: Server) -> Iterator[Row]:
    if not os.environ.get("AMQP_URL"):
        sys.exit("AMQP_URL names no broker: use `make bench SUITE=rabbitmq`, which starts one.")
    from . import consuming, relaying

    yield from relaying.rows(server)
    yield from consuming.rows(server)
