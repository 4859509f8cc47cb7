"""The metrics of subscriptions for Prometheus. Needs prometheus-client: `django-edda[prometheus]`.

`events.api.monitoring` serves them. A project that has a `/metrics` of its own registers the
collector there instead: `REGISTRY.register(SubscriptionCollector())`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from django.core.exceptions import ImproperlyConfigured

from ..bus.subscription import Delivery
from .metrics import SubscriptionMetrics, snapshot

if TYPE_CHECKING:
    from prometheus_client import Metric

_Value: TypeAlias = Callable[[SubscriptionMetrics], float | None]

_GAUGES: dict[str, tuple[str, _Value]] = {
    "lag_positions": (
        "From the oldest event to be handled up to the head of the log, in positions",
        lambda each: each.lag,
    ),
    "lag_seconds": ("Age of the oldest event to be handled", lambda each: each.lag_seconds),
    "position": ("All events up to here are handled or failed", lambda each: each.position),
    "lanes": ("Lanes, each handled by one worker at a time", lambda each: len(each.lanes)),
    "active": ("1, or 0 while it is paused or stopped", lambda each: each.status == "active"),
    "has_code": ("0 where the code of a stored one is gone", lambda each: each.has_code),
    "backing_off": (
        "1 while it waits for the end of an outage",
        lambda each: each.backs_off_until is not None,
    ),
    "retrying": ("Failed events with an attempt ahead", lambda each: each.retrying),
    "dead_letters": ("Failed events that wait for an operator", lambda each: each.parked),
}
_COUNTERS: dict[str, tuple[str, _Value]] = {
    "handled": ("Events handled", lambda each: each.handled),
    "failed_attempts": ("Attempts that failed", lambda each: each.failed_attempts),
    "timeouts": ("Attempts that took too long", lambda each: each.timeouts),
    "crashes": ("Attempts that ended with their process", lambda each: each.crashes),
    "parked": ("Events that became dead letters", lambda each: each.dead_letters),
    "handler_seconds": ("Seconds spent in handlers", lambda each: each.handler_seconds),
}


class SubscriptionCollector:
    """Reads the database with each scrape."""

    def collect(self) -> Iterator[Metric]:
        core = _prometheus_client().core
        durable = [each for each in snapshot() if each.delivery == Delivery.DURABLE.value]
        if durable:
            yield core.GaugeMetricFamily(
                "edda_log_head_position", "Up to where the log is final", value=durable[0].head
            )
        for family, facts in (
            (core.GaugeMetricFamily, _GAUGES),
            (core.CounterMetricFamily, _COUNTERS),
        ):
            for name, (text, value) in facts.items():
                metric = family(f"edda_subscription_{name}", text, labels=["subscription"])
                for each in durable:
                    if (number := value(each)) is not None:
                        metric.add_metric([each.name], number)
                yield metric


def prometheus_text() -> tuple[bytes, str]:
    """All of it in the text format, and the media type of that."""
    client = _prometheus_client()
    registry = client.CollectorRegistry()
    registry.register(SubscriptionCollector())
    return client.generate_latest(registry), client.CONTENT_TYPE_LATEST


def _prometheus_client() -> ModuleType:
    try:
        import prometheus_client
        import prometheus_client.core
    except ImportError as error:
        raise ImproperlyConfigured(
            "The metrics for Prometheus need prometheus-client: "
            "pip install 'django-edda[prometheus]'."
        ) from error
    return prometheus_client
