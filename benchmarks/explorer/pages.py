"""The pages that are asked for, each time of another place in the log."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from events.models import AggregateVersion, Event, FailedEvent, Snapshot
from sagas.models import SagaInstance

from . import shop
from .data import A_STREAM, CUSTOMERS, stream_id

SEED = 7
assert shop  # whose classes the pages read the events by


def times(events: int, requests: int) -> dict[str, list[float]]:
    """By page: milliseconds of each request. A first round warms up, and isn't counted."""
    User.objects.create_superuser("operator", password="operator")
    client = Client(SERVER_NAME="localhost")
    client.login(username="operator", password="operator")
    found: dict[str, list[float]] = {}
    for name, url in addresses(events, random.Random(SEED)).items():
        measured = [_milliseconds(client, url()) for _ in range(requests // 10 + requests)]
        found[name] = measured[requests // 10 :]
    connection.close()
    return found


def _milliseconds(client: Client, url: str) -> float:
    started = time.perf_counter()
    response = client.get(url)
    response.content  # noqa: B018, which renders nothing more, but is all of it
    taken = 1000 * (time.perf_counter() - started)
    if response.status_code != 200:
        raise RuntimeError(f"{url}: {response.status_code}")
    return taken


def addresses(events: int, chance: random.Random) -> Mapping[str, Callable[[], str]]:
    first_key: dict[type[Model], int] = {
        model: model._default_manager.order_by("pk").values_list("pk", flat=True)[0]
        for model in (AggregateVersion, FailedEvent)
    }

    def number() -> int:
        return chance.randrange(events)

    def stream() -> str:
        return stream_id(number() // A_STREAM)

    def listed(model: type = Event, **parameters: Any) -> str:
        options = model._meta  # type: ignore[attr-defined]
        url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        return f"{url}?{urlencode(parameters)}"

    def row(model: type, key: object) -> str:
        options = model._meta  # type: ignore[attr-defined]
        return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[key])

    def stream_key() -> int:
        return first_key[AggregateVersion] + number() // A_STREAM

    ids = list(Snapshot.objects.order_by("pk").values_list("pk", flat=True)[:1000])
    return {
        "events": listed,
        "events, at any depth": lambda: listed(after=number()),
        "events of a type, at any depth": lambda: listed(
            q="type:benchmarks.LineAdded", after=number()
        ),
        "events of a category, at any depth": lambda: listed(
            category="ExploredOrder", after=number()
        ),
        "search for an id": lambda: listed(q=f"id:{stream_id(number())}"),
        "search for a stream": lambda: listed(q=f"stream:ExploredOrder-{stream()}"),
        "search for a correlation": lambda: listed(q=f"correlation:{stream()}"),
        "search for a cause": lambda: listed(q=f"cause:{stream_id(number())}"),
        "search for a field with an index": lambda: listed(
            q=f"data.customer_id:c-{chance.randrange(min(CUSTOMERS, events // A_STREAM))}"
        ),
        "search in a window of time": lambda: listed(
            q=f"type:benchmarks.OrderPaid since:{1 + number() % 60}min"
        ),
        "search without an index, in a window": lambda: listed(q="data.amount:none since:1h"),
        "event": lambda: row(Event, 1 + number()),
        "trace": lambda: reverse("admin:events_event_trace") + f"?correlation={stream()}",
        "event types": lambda: reverse("admin:events_event_catalogue"),
        "streams": lambda: listed(AggregateVersion),
        "streams, at any depth": lambda: (
            listed(AggregateVersion) + f"after=ExploredOrder&after={stream()}"
        ),
        "stream": lambda: row(AggregateVersion, stream_key()),
        "state": lambda: (
            reverse("admin:events_aggregateversion_state", args=[stream_key()])
            + "?version=7&against=2"
        ),
        "snapshots": lambda: listed(Snapshot),
        "snapshot": lambda: row(Snapshot, chance.choice(ids)),
        "dead letters": lambda: listed(FailedEvent),
        "dead letter": lambda: row(
            FailedEvent, first_key[FailedEvent] + chance.randrange(max(1, events // 200))
        ),
        "sagas": lambda: listed(SagaInstance),
        "sagas of a status": lambda: listed(SagaInstance, status="needs_intervention"),
    }
