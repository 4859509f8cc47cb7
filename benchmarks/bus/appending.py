"""What subscriptions cost the append."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from events.bus.subscription import subscribe

from ..harness import Contender, Operation, race
from ..report import Row, rows_against
from ..server import Server
from ..store import ours as store
from . import ours

SUBSCRIPTIONS = 5


def rows(server: Server) -> Iterator[Row]:
    none = "append with none"
    speeds = race(
        server,
        [
            Contender("ours", prepare_append_with_subscriptions),
            Contender(none, lambda: store.prepare_append(1)),
        ],
    )
    yield from rows_against(
        {none: 0.9},
        speeds,
        suite="bus",
        case=f"append 1 event, with {SUBSCRIPTIONS} durable subscriptions and wake-ups",
        unit="events/s",
    )


def prepare_append_with_subscriptions() -> Operation:
    settings.EVENTS = settings.EVENTS | {"wake_up": "events.delivery.djangoq.wake_up"}
    for number in range(SUBSCRIPTIONS):
        subscribe("*", ours.do_nothing, name=f"benchmarks.{number}")
    return store.prepare_append(1)
