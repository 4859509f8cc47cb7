"""What the page of a subscription shows besides its row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..bus.subscription import Delivery, Subscription, subscriptions
from ..delivery import metrics
from ..delivery.metrics import SubscriptionMetrics
from ..models import FailedEvent, Operation, OperatorAction, SubscriptionState
from ..projections import DeclaredProjection, projections
from .failed_event_details import shown_errors
from .index_range import Cursor, IndexRange
from .links import list_url, object_url, page_url
from .operation_details import operation_rows
from .permissions import may_view
from .presentation import count_up_to, duration
from .queries import in_log_database
from .trends import trends

MAX_ROWS = 10


def subscription_details(
    site: AdminSite, request: HttpRequest, state: SubscriptionState
) -> dict[str, Any]:
    [found] = metrics.snapshot(state.name, in_brief=True)
    trend = trends([state.name]).get(state.name)
    context: dict[str, Any] = {
        "title": state.name,
        "subtitle": "",
        "metrics": found,
        "backs_off_until": found.backs_off_until,
        "facts": _facts(found, subscriptions.find(state.name)),
        "trend": trend,
        "chart": trend.chart(state.name) if trend else None,
        "catches_up_in": trend.catches_up_in(found) if trend else None,
    }
    if may_view(site, request, FailedEvent):
        context |= {
            "failed_url": list_url(site, FailedEvent, subscription=state.name),
            "failed": _failed(site, request, state.name),
            "groups_url": page_url(site, FailedEvent, "groups"),
        }
    if may_view(site, request, Operation):
        rows = _newest(Operation, "subscription", state.name)
        context["asked"] = operation_rows(site, rows)
    if may_view(site, request, OperatorAction):
        context["actions"] = _newest(OperatorAction, "subscription", state.name)
        context["log_url"] = list_url(site, OperatorAction, q=f"subscription:{state.name}")
    return context


def never_run(stored: set[str]) -> list[Subscription]:
    """In the code, durable, and never seen by a worker."""
    return [each for each in subscriptions.of(Delivery.DURABLE) if each.name not in stored]


def inline_projections() -> list[DeclaredProjection]:
    """They have no row: nothing of them is ever behind. But they can be rebuilt."""
    return [each for each in projections if each.subscription.delivery is not Delivery.DURABLE]


def seconds_behind(found: SubscriptionMetrics) -> str:
    if found.lag_seconds is None:
        return "?"
    return duration(timedelta(seconds=found.lag_seconds)) if found.lag else "0 s"


def _facts(found: SubscriptionMetrics, code: Subscription | None) -> list[tuple[Any, Any]]:
    mean = found.mean_handler_seconds
    facts: list[tuple[Any, Any]] = [
        (_("Lag, in events of the log"), f"{found.lag or 0:,}"),
        (_("Behind by"), seconds_behind(found)),
        (_("Position, of the last lane"), f"{found.position or 0:,}"),
        (_("End of the log"), f"{found.head:,}"),
        (_("Dead letters"), count_up_to(found.parked, metrics.MAX_COUNT)),
        (_("Waiting for a retry"), count_up_to(found.retrying, metrics.MAX_COUNT)),
        (_("Handled, ever"), f"{found.handled:,}"),
        (_("Failed attempts, ever"), f"{found.failed_attempts:,}"),
        (_("Time-outs, ever"), f"{found.timeouts:,}"),
        (_("Crashes, ever"), f"{found.crashes:,}"),
        (_("A call takes, on average"), duration(timedelta(seconds=mean)) if mean else "-"),
    ]
    if code is not None:
        facts += [
            (_("For"), ", ".join(str(pattern) for pattern in code.patterns)),
            (_("Effects"), code.effects.value),
            (_("Attempts"), code.retry.attempts),
            (_("After the last one"), code.on_failure.value),
            (_("Time limit"), f"{code.timeout_seconds:g} s" if code.timeout_seconds else _("none")),
        ]
    return facts


def _failed(site: AdminSite, request: HttpRequest, name: str) -> list[dict[str, Any]]:
    newest = IndexRange(["-id"], {"subscription_id": name})
    slim = in_log_database(FailedEvent.objects.defer("traceback", "edited"))
    rows = list(newest.rows(slim, Cursor())[:MAX_ROWS])
    errors = shown_errors(request, rows)
    return [
        {"row": row, "error": errors[row.pk], "url": object_url(site, FailedEvent, row.pk)}
        for row in rows
    ]


def _newest(model: Any, column: str, value: str) -> list[Any]:
    rows = in_log_database(model.objects.all())
    return list(IndexRange(["-id"], {column: value}).rows(rows, Cursor())[:MAX_ROWS])
