"""How the lag of subscriptions has gone lately, from the samples that workers take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..delivery.metrics import SubscriptionMetrics
from ..delivery.sampling import SAMPLE_SECONDS
from ..models import LagSample
from .charts import LineChart, Series
from .presentation import duration
from .queries import in_log_database

SHOWN = timedelta(minutes=30)
#: Of the rate: shorter is nervous, longer is late.
_RATED_SAMPLES = 20

_DIRECTIONS = {
    "growing": gettext_lazy("growing"),
    "shrinking": gettext_lazy("shrinking"),
    "steady": gettext_lazy("steady"),
    "unknown": gettext_lazy("unknown"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Of one subscription. None where no worker took a sample."""

    moments: Sequence[datetime]
    lags: Sequence[int | None]
    seconds: Sequence[float | None]
    handled: Sequence[int | None]

    @property
    def rate(self) -> float | None:
        """Events handled in a second, lately."""
        known = [
            (moment, count)
            for moment, count in zip(self.moments, self.handled, strict=True)
            if count is not None
        ][-_RATED_SAMPLES:]
        if len(known) < 2:
            return None
        seconds = (known[-1][0] - known[0][0]).total_seconds()
        # Less than before: it was reset.
        return max(0, known[-1][1] - known[0][1]) / seconds if seconds else None

    @property
    def direction(self) -> str:
        """growing, shrinking, steady or unknown."""
        known = [lag for lag in self.lags if lag is not None][-_RATED_SAMPLES:]
        if len(known) < 2:
            return "unknown"
        rises = sum(later - earlier for earlier, later in pairwise(known))
        if abs(rises) <= max(1, known[0] // 20):
            return "steady"
        return "growing" if rises > 0 else "shrinking"

    @property
    def direction_label(self) -> Any:
        return _DIRECTIONS[self.direction]

    def catches_up_in(self, metrics: SubscriptionMetrics) -> str | None:
        """None where it isn't behind, or doesn't get closer."""
        known = [lag for lag in self.lags if lag is not None]
        if self.direction != "shrinking" or not metrics.lag:
            return None
        steps = known[-_RATED_SAMPLES:]
        per_second = (steps[0] - steps[-1]) / ((len(steps) - 1) * SAMPLE_SECONDS)
        return duration(timedelta(seconds=metrics.lag / per_second))

    def chart(self, name: str) -> LineChart:
        return LineChart(
            title=_("Lag of %(name)s") % {"name": name},
            description=_("Positions of the log between its oldest event to handle and the end."),
            steps=[f"{timezone.localtime(moment):%H:%M:%S}" for moment in self.moments],
            series=[Series(label=_("lag"), values=self.lags)],
        )


def trends(names: Sequence[str]) -> dict[str, Trend]:
    """By name. One statement, a short range of the key."""
    last = int(timezone.now().timestamp()) // SAMPLE_SECONDS
    first = last - int(SHOWN.total_seconds()) // SAMPLE_SECONDS
    rows = in_log_database(LagSample.objects.filter(interval__gte=first)).order_by("interval")
    found = {row.interval: row for row in rows[: last - first + 1]}
    if not found:
        return {}
    intervals = range(min(found), max(found) + 1)
    return {name: _trend(name, intervals, found) for name in names}


def _trend(name: str, intervals: range, found: dict[int, LagSample]) -> Trend:
    first = found[intervals[0]].taken_at

    def values(key: str) -> list[Any]:
        return [
            row.subscriptions.get(name, {}).get(key) if (row := found.get(number)) else None
            for number in intervals
        ]

    return Trend(
        moments=[
            first + timedelta(seconds=SAMPLE_SECONDS * index) for index in range(len(intervals))
        ],
        lags=values("lag"),
        seconds=values("seconds"),
        handled=values("handled"),
    )
