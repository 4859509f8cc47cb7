"""What can be read of how subscriptions are doing."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from events.bus.retry import RetryPolicy
from events.bus.subscription import Delivery, OnFailure, subscriptions
from events.delivery import metrics, operations
from events.delivery.backlog import Reach
from events.delivery.draining import drain
from events.delivery.metrics import snapshot
from events.delivery.prometheus import prometheus_text
from events.models import Lane
from tests.api.conftest import basic
from tests.factories import cart, item_removed, items

pytestmark = pytest.mark.django_db


def only():
    [metrics] = snapshot()
    return metrics


def samples():
    text, _ = prometheus_text()
    return {
        (sample.name, sample.labels.get("subscription")): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_a_subscription_that_is_up_to_date_has_no_lag(store, subscribed):
    subscribed()
    last = store.append(cart(1), items(3)).positions[-1]
    drain()

    now = only()

    assert (now.status, now.has_code, now.delivery) == ("active", True, "durable")
    assert (now.position, now.head, now.lag, now.lag_seconds) == (last, last, 0, 0)
    assert (now.handled, now.failed_attempts, now.retrying, now.parked) == (3, 0, 0, 0)
    assert 0 < now.mean_handler_seconds == now.handler_seconds / 3


def test_lag_counts_from_the_oldest_event_that_is_to_be_handled(store, subscribed):
    subscribed("tests.ItemAdded")
    drain()
    store.append(cart(1), [item_removed() for _ in range(5)])
    assert (only().lag, only().lag_seconds) == (0, 0)

    first = store.append(cart(1), items(2))
    head = store.append(cart(1), [item_removed()]).positions[-1]

    now = only()
    assert now.lag == head - first.positions[0] + 1
    assert now.lag_seconds == (now.measured_at - first.recorded_at).total_seconds()
    assert now.lag_seconds >= 0


def test_lag_is_that_of_the_lane_that_is_furthest_behind(store, subscribed):
    subscribed(lanes=4)
    drain()
    head = store.append(cart(1), items(2)).positions[-1]

    lags = [lane.lag for lane in only().lanes]

    assert sorted(lags) == [0, 0, 0, 2]
    assert (only().lag, only().head) == (2, head)


def test_what_is_too_far_away_to_be_looked_for_is_an_upper_bound(store, subscribed, monkeypatch):
    monkeypatch.setattr(metrics, "FAR", Reach(window=2, windows=5))
    subscribed("tests.ItemAdded")
    drain()
    store.append(cart(1), [item_removed() for _ in range(20)])

    now = only()

    assert now.lag == now.head - now.position - 10
    assert now.lag_seconds is None


def test_failures_are_counted_by_what_comes_of_them(store, subscribed):
    subscribed(handler=lambda event: 1 / 0)
    store.append(cart(1), items(2))
    store.append(cart(2), items(1))
    drain(raise_errors=False)
    assert (only().retrying, only().parked, only().failed_attempts) == (2, 0, 2)

    drain(retries=True, raise_errors=False)

    now = only()
    assert (now.retrying, now.parked, now.dead_letters, now.failed_attempts) == (0, 2, 2, 6)
    assert now.oldest_failed_at <= now.measured_at
    assert (now.lag, now.mean_handler_seconds) == (0, None)


def test_states_are_shown_as_they_are(store, subscribed):
    subscribed()
    assert (only().status, only().position, only().lag, only().lag_seconds) == (
        "new",
        None,
        None,
        None,
    )
    operations.pause("tests.effects", actor="ann", reason="tea")
    until = datetime.now(UTC) + timedelta(hours=1)
    Lane.objects.update(not_before=until)

    assert (only().status, only().reason, only().backs_off_until) == ("paused", "tea", until)
    Lane.objects.update(not_before=until - timedelta(hours=2))
    assert only().backs_off_until is None


def test_a_subscription_that_stopped_itself_says_why(store, subscribed):
    subscribed(
        handler=lambda event: 1 / 0, on_failure=OnFailure.STOP, retry=RetryPolicy(attempts=1)
    )
    store.append(cart(1), items(1))
    drain(raise_errors=False)

    assert only().status == "stopped"
    assert "ZeroDivisionError" in only().reason


def test_a_stored_subscription_without_code_lags_by_the_whole_log(store, subscribed):
    subscribed("tests.ItemAdded")
    drain()
    subscriptions.remove("tests.effects")
    store.append(cart(1), [item_removed()])

    assert (only().has_code, only().lag) == (False, 1)


def test_other_deliveries_are_listed_by_name(store, subscribed):
    subscribed(name="here", delivery=Delivery.LOCAL, retry=RetryPolicy(attempts=1))

    assert (only().name, only().delivery, only().status, only().lag) == (
        "here",
        "local",
        "active",
        None,
    )
    assert samples() == {}


def test_metrics_are_plain_data(store, subscribed):
    subscribed()
    drain()

    data = only().to_dict()

    json.dumps(data, default=str)
    assert data["lag"] == 0
    assert data["lanes"][0]["number"] == 0


def test_the_number_of_statements_grows_with_the_lanes_that_are_behind_alone(
    store, subscribed, django_assert_num_queries
):
    for number in range(20):
        subscribed(name=f"s{number}", lanes=2)
    store.append(cart(1), items(1))
    drain()
    with django_assert_num_queries(4):
        snapshot()


# --- Prometheus ---


def test_prometheus_reads_all_of_it(store, subscribed):
    subscribed()
    head = store.append(cart(1), items(3)).positions[-1]
    drain()

    found = samples()

    assert found["edda_log_head_position", None] == head
    name = "tests.effects"
    assert found["edda_subscription_handled_total", name] == 3
    assert found["edda_subscription_lag_seconds", name] == 0
    assert found["edda_subscription_active", name] == 1
    assert found["edda_subscription_dead_letters", name] == 0


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'django-edda\[prometheus\]'"):
        prometheus_text()


def scrape(client, user=None):
    headers = {"Accept": "text/plain;version=0.0.4"}
    if user:
        headers["Authorization"] = basic(user, "secret")
    return client.get("/metrics", headers=headers)


def test_who_may_view_subscriptions_may_scrape(store, subscribed):
    subscribed()
    drain()
    user = User.objects.create_user("prometheus", password="secret")

    assert scrape(Client()).status_code == 401
    refused = scrape(Client(), "prometheus")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")

    user.user_permissions.add(Permission.objects.get(codename="view_subscriptionstate"))
    answer = scrape(Client(), "prometheus")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert 'edda_subscription_lag_positions{subscription="tests.effects"} 0.0' in (
        answer.content.decode()
    )


def test_in_brief_the_numbers_are_those_of_a_short_way(subscribed, store):
    subscribed(lanes=3, retry=RetryPolicy(attempts=1), handler=_fail_for_cart_1, backs_off=False)
    store.append(cart(1), items(1))
    drain(raise_errors=False)
    for number in range(8):
        store.append(cart(number), items(2))

    [in_full], [in_brief] = snapshot("tests.effects"), snapshot("tests.effects", in_brief=True)

    assert in_brief.parked == in_full.parked == 1
    assert in_brief.lag == in_full.lag == 16
    assert [lane.lag for lane in in_brief.lanes] == [lane.lag for lane in in_full.lanes]
    assert in_brief.lag_seconds == pytest.approx(in_full.lag_seconds, abs=5)


def test_in_brief_counts_stop(subscribed, store, monkeypatch):
    monkeypatch.setattr(metrics, "MAX_COUNT", 2)
    subscribed(retry=RetryPolicy(attempts=1), handler=_fail, backs_off=False)
    for number in range(4):
        store.append(cart(number), items(1))
    drain(raise_errors=False)

    assert snapshot("tests.effects", in_brief=True)[0].parked == 2
    assert snapshot("tests.effects")[0].parked == 4


def test_in_brief_many_lanes_cost_no_more_statements(
    subscribed, store, django_assert_max_num_queries
):
    for number in range(12):
        subscribed(name=f"tests.effects{number}", lanes=4)
    drain()
    store.append(cart(1), items(1))

    allowed = 6 if connection.vendor == "postgresql" else 60
    with django_assert_max_num_queries(allowed):
        found = snapshot(in_brief=True)
    assert sum(len(each.lanes) for each in found) == 48


def _fail(event):
    raise ValueError("no good")


def _fail_for_cart_1(event):
    if event.aggregate_id == "cart-1":
        raise ValueError("no good")
