"""System checks of the settings of a django-q2 cluster that drains subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections

from ..bus.subscription import Delivery, subscriptions
from ..conf import events_settings
from . import djangoq

Cluster = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    holds: Callable[[Cluster], bool]
    problem: str
    hint: str


def _longest_task(cluster: Cluster) -> float:
    limits = [each.timeout_seconds or 0 for each in subscriptions.of(Delivery.DURABLE)]
    return djangoq.MAX_SECONDS + float(max(limits, default=0))


def _least_retry(cluster: Cluster) -> float:
    workers = cluster.get("workers") or 1
    queued = cluster.get("queue_limit", workers**2) + cluster.get("bulk", 1)
    return float((cluster.get("timeout") or 0) * (queued / workers + 1))


_RULES = [
    _Rule(
        "events.W011",
        lambda cluster: cluster.get("orm") == events_settings().database,
        "Q_CLUSTER['orm'] isn't the database of the log.",
        "Set it to EVENTS['database'] ('default'): Redis forgets what a crashed worker had.",
    ),
    _Rule(
        "events.W012",
        lambda cluster: (cluster.get("timeout") or 0) > _longest_task(cluster),
        "Q_CLUSTER['timeout'] can end a task in the middle of a handler.",
        f"Set it to more than {djangoq.MAX_SECONDS:g} s plus the longest timeout_seconds of your "
        "durable subscriptions.",
    ),
    _Rule(
        "events.W013",
        lambda cluster: cluster.get("retry", 60) > _least_retry(cluster),
        "Q_CLUSTER['retry'] has tasks repeated that are still waiting or running.",
        "Set it to more than timeout * ((queue_limit + bulk) / workers + 1).",
    ),
    _Rule(
        "events.W014",
        lambda cluster: cluster.get("save_limit", 250) == -1,
        "Q_CLUSTER['save_limit'] has each task load all results that were saved.",
        "Set it to -1: what handlers did is in tables of this app.",
    ),
    _Rule(
        "events.W015",
        lambda cluster: bool(cluster.get("ack_failures")) and not cluster.get("catch_up", True),
        "Q_CLUSTER has failed tasks repeated, or missed ones made up for.",
        "Set ack_failures to True and catch_up to False: the schedule looks every minute anyway.",
    ),
]


@register
def check_cluster(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if not djangoq.is_in_use():
        return []
    if not apps.is_installed("django_q"):
        return [
            Error(
                "EVENTS['wake_up'] needs django-q2, which isn't in INSTALLED_APPS.",
                hint="Add 'django_q', or run `manage.py run_subscriptions` and set it to None.",
                id="events.E011",
            )
        ]
    cluster: Cluster = getattr(settings, "Q_CLUSTER", {})
    messages: list[CheckMessage] = [
        Warning(rule.problem, hint=rule.hint, id=rule.id)
        for rule in _RULES
        if not rule.holds(cluster)
    ]
    return messages + _check_connections()


def _check_connections() -> list[CheckMessage]:
    alias = events_settings().database
    configured = connections[alias].settings_dict
    is_kept = configured.get("CONN_MAX_AGE") != 0 or "pool" in configured.get("OPTIONS", {})
    if is_kept or connections[alias].vendor == "sqlite":
        return []
    return [
        Warning(
            f"Each request connects to {alias!r} anew, and so does each task.",
            hint="Set CONN_MAX_AGE, with CONN_HEALTH_CHECKS, or a pool.",
            id="events.W016",
        )
    ]
