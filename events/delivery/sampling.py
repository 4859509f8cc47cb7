"""Notes down now and then how far behind subscriptions are: a trend is drawn from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from ..conf import events_settings
from ..models import LagSample
from .metrics import SubscriptionMetrics, snapshot

SAMPLE_SECONDS = 15
KEPT = timedelta(hours=6)

_last_interval = 0


def take_samples() -> bool:
    """A chore of every worker; one of them does it. Never a reason to stay awake."""
    global _last_interval  # noqa: PLW0603  (spares a statement twice a second)
    interval = int(timezone.now().timestamp()) // SAMPLE_SECONDS
    if interval != _last_interval:
        _last_interval = interval
        take_sample(interval)
    return False


def take_sample(interval: int) -> None:
    rows = LagSample.objects.using(events_settings().database)
    if rows.filter(interval=interval).exists():
        return
    found = [each for each in snapshot() if each.lanes]
    sample = LagSample(
        interval=interval,
        taken_at=datetime.fromtimestamp(interval * SAMPLE_SECONDS, UTC),
        head=max((each.head for each in found), default=0),
        subscriptions={each.name: _facts(each) for each in found},
    )
    rows.bulk_create([sample], ignore_conflicts=True)
    rows.filter(interval__lt=interval - KEPT.total_seconds() // SAMPLE_SECONDS).delete()


def _facts(metrics: SubscriptionMetrics) -> dict[str, Any]:
    return {
        "lag": metrics.lag,
        "seconds": metrics.lag_seconds,
        "position": metrics.position,
        "handled": metrics.handled,
    }
