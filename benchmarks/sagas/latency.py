"""How soon an order of the example's shop is done with, where a worker is awake and nothing else
is going on: stock, payment, parcel, completion, each answered by an event."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import quantiles
from uuid import UUID

from events.bus.subscription import Delivery, subscriptions
from events.delivery import lanes
from events.identifiers import new_id
from events.store.configured import event_store
from sagas.models import SagaInstance
from tests.orders.shop import place, receive

from ..bus.workers import workers
from ..report import Row, row_of_less
from ..server import Server, use_database

ORDERS = 100
MOST_MS = 100.0
TIMEOUT_SECONDS = 60.0
PAUSE_SECONDS = 0.05


def rows(server: Server) -> Iterator[Row]:
    with server.new_database() as database, use_database(database):
        waits = measure()
    for percent, is_limit in ((50, True), (95, False)):
        yield row_of_less(
            suite="sagas",
            case=f"place an order, to its completion, p{percent}",
            against=f"at most {MOST_MS:.0f} ms",
            ours=quantiles(waits, n=100)[percent - 1],
            theirs=MOST_MS,
            unit="ms",
            is_limit=is_limit,
        )


def measure(orders: int = ORDERS) -> list[float]:
    """Of each order, in milliseconds. The first ones, with which all warms up, don't count."""
    lanes.ensure_rows(subscriptions.of(Delivery.DURABLE), event_store())
    receive(pen=10 * orders)
    with workers(1):
        return [_wait_of(new_id()) for _ in range(5 + orders)][5:]


def _wait_of(order_id: UUID) -> float:
    time.sleep(PAUSE_SECONDS)
    started = time.monotonic()
    place(order_id)
    saga = SagaInstance.objects.filter(pk=f"OrderProcessing:{order_id}")
    while saga.values_list("status", flat=True).first() != "completed":
        if time.monotonic() > started + TIMEOUT_SECONDS:
            raise RuntimeError(f"The order {order_id} is not completed.")
        time.sleep(0.002)
    return 1000 * (time.monotonic() - started)
