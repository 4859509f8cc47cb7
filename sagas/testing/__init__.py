"""Given / when / then for sagas: no database, no settings, no chance, and a clock of their own.

    def test_a_declined_card_releases_the_stock():
        (
            given(OrderSagaOrchestrator, started(order_placed), answered(inventory_reserved))
            .when(answered(payment_failed))
            .then_requests(ReleaseInventory(order_id=ORDER))
            .then_status(Status.COMPENSATING)
        )

What has happened and what happens now are given alike. Whole runs are in `testing.simulation`.
"""

from __future__ import annotations

from .cues import (
    aborted,
    after,
    answered,
    blocked,
    compensated,
    failed,
    handled,
    refused,
    released,
    retried,
    retry_due,
    skipped,
    started,
    timed_out,
)
from .outcome import Given, Outcome, given
from .scene import MOMENT, Cue, Scene

__all__ = [
    "MOMENT",
    "Cue",
    "Given",
    "Outcome",
    "Scene",
    "aborted",
    "after",
    "answered",
    "blocked",
    "compensated",
    "failed",
    "given",
    "handled",
    "refused",
    "released",
    "retried",
    "retry_due",
    "skipped",
    "started",
    "timed_out",
]
