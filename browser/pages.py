"""An address of every kind of page of the explorer."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse

from browser.shop import Shop
from events.explorer import navigation
from events.models import (
    AggregateVersion,
    Event,
    FailedEvent,
    OperatorAction,
    Snapshot,
    SubscriptionState,
)
from sagas.models import SagaInstance


def addresses(shop: Shop) -> dict[str, str]:
    order = Event.objects.get(event_type="OrderPlaced", aggregate_id=str(shop.declined_order))
    stock = AggregateVersion.objects.get(aggregate_type="Stock")
    found = {
        "events": _list("event"),
        "events-narrowed": _list("event") + "?q=category:Order+since:24h+data.reason:x",
        "event": _row(order),
        "trace": reverse("admin:events_event_trace") + f"?correlation={order.correlation_id}",
        "event-types": reverse("admin:events_event_catalogue"),
        "event-type": reverse("admin:events_event_type", args=["OrderPlaced"]),
        "export": reverse("admin:events_event_export"),
        "save-view": reverse("admin:events_event_save_view"),
        "streams": _list("aggregateversion"),
        "stream": _row(stock),
        "state": reverse("admin:events_aggregateversion_state", args=[stock.pk]) + "?version=2",
        "snapshots": _list("snapshot"),
        "failed-events": _list("failedevent"),
        "failed-event": _row(FailedEvent.objects.first()),
        "subscriptions": _list("subscriptionstate"),
        "subscription": _row(SubscriptionState.objects.first()),
        "operator-log": _list("operatoraction"),
        "sagas": reverse("admin:sagas_sagainstance_changelist"),
        "saga": _row(SagaInstance.objects.filter(key=str(shop.declined_order)).first()),
    }
    for row in (OperatorAction.objects.first(), Snapshot.objects.first()):
        if row is not None:
            found[str(row._meta.model_name)] = _row(row)
    return found | _pages_without_arguments(set(found.values()))


def _list(model: str) -> str:
    return reverse(f"admin:events_{model}_changelist")


def _row(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def _pages_without_arguments(known: set[str]) -> dict[str, str]:
    """What else is in the bar above the pages."""
    urls = {entry.url(admin.site) for entry in navigation.entries()}
    return {url.strip("/").split("/")[-1]: url for url in urls - known}
