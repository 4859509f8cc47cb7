"""Subscriptions, failed events and the operator log in the admin: who sees and does what."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events.bus.retry import RetryPolicy
from events.bus.subscription import subscribe, subscriptions
from events.delivery import dead_letters
from events.delivery.background import carry_out_operations
from events.delivery.draining import drain
from events.models import FailedEvent, Operation, OperatorAction, SubscriptionState
from tests.delivery.conftest import effects
from tests.effects.models import leave_effect
from tests.explorer.pages import inline_code, links, list_url, row_url, shown, text_of
from tests.factories import cart, items

NAME = "tests.effects"
DEAD = 3


@pytest.fixture(autouse=True)
def failing(store, no_other_subscriptions):
    """Three streams, each with a dead letter in its middle."""

    def handle(event):
        if event.sequence_number == 1 and event.aggregate_id in bad:
            raise ValueError(f"<b>{event.aggregate_id}</b> is no good")
        leave_effect(event)

    bad = {f"cart-{number}" for number in range(DEAD)}
    subscribe("*", handle, name=NAME, retry=RetryPolicy(attempts=1))
    for number in range(DEAD):
        store.append(cart(number), items(3))
    drain(raise_errors=False)
    return bad


def dead():
    return list(FailedEvent.objects.order_by("pk"))


def staff(*permissions):
    account = User.objects.create_user("grace", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(account)
    return client


VIEW = ("view_failedevent", "view_subscriptionstate", "view_operatoraction")


def form_of(client, url):
    """The address and the values of the form that is there."""
    html = text_of(client, url)
    values = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', html))
    values |= {
        name: unescape(text.removeprefix("\n"))
        for name, text in re.findall(r'<textarea name="([a-z_]+)".*?>(.*?)</textarea>', html, re.S)
    }
    return values


def operate(client, url, **values):
    return client.post(url, form_of(client, url) | values)


def choose_in_list(client, action, rows, **more):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
    return client.post(list_url(type(rows[0])), data | more)


def messages_after(client, response):
    html = text_of(client, response["Location"])
    return [
        unescape(text) for text in re.findall(r'<li class="(?:success|warning)">(.*?)</li>', html)
    ]


# --- looking ---


def test_failed_events_are_listed_and_filtered(admin_client):
    assert len(shown(admin_client, list_url(FailedEvent))) == DEAD
    group = dead()[0].fingerprint
    for filters, count in [
        ({"status": "dead"}, DEAD),
        ({"status": "retrying"}, 0),
        ({"subscription": NAME}, DEAD),
        ({"group": group, "status": "dead"}, DEAD),
        ({"group": "0000"}, 0),
    ]:
        assert len(shown(admin_client, list_url(FailedEvent, **filters))) == count, filters


def test_a_failed_event_is_shown_with_its_error_and_what_waits(admin_client):
    html = text_of(admin_client, row_url(dead()[0]))

    assert "ValueError: &lt;b&gt;cart-0&lt;/b&gt; is no good" in html
    assert "Traceback (most recent call last)" in html
    assert "&quot;name&quot;: &quot;item 1&quot;" in html
    assert html.count("<td>tests.ItemAdded</td>") == 1
    found = links(html)
    assert {"Retry", "Discard", "Edit and retry", "Its group"} <= found.keys()


def test_data_is_shown_to_those_alone_who_may_view_events():
    html = text_of(staff(*VIEW), row_url(dead()[0]))

    assert "Traceback" in html
    assert "item 1" not in html


def test_subscriptions_are_listed_with_their_lag(admin_client, store):
    store.append(cart(7), items(4))
    html = text_of(admin_client, list_url(SubscriptionState))

    found = re.findall(r'<td class="field-(\w+)[^"]*">(.*?)</td>', html)
    cells = {name: re.sub(r"<[^>]*>", "", cell) for name, cell in found}
    assert (cells["state"], cells["lag"], cells["parked"]) == ("active", "4", "3")
    page = text_of(admin_client, row_url(SubscriptionState.objects.get()))
    assert links(page)["Its failed events"].endswith(f"?subscription={NAME}")


def test_a_subscription_without_code_is_marked(admin_client):
    subscriptions.remove(NAME)
    assert "active, no code" in text_of(admin_client, list_url(SubscriptionState))
    page = text_of(admin_client, row_url(SubscriptionState.objects.get()))
    assert "not in the code" in page


def test_the_operator_log_can_be_read(admin_client):
    dead_letters.discard(
        dead_letters.choose(dead()[:1]), actor="ann", reason="<script>alert(1)</script>"
    )
    html = text_of(admin_client, list_url(OperatorAction))
    assert "ann" in html
    assert "<script>alert(1)" not in html
    page = text_of(admin_client, row_url(OperatorAction.objects.get()))
    assert "is no good" in page


# --- doing ---


def test_failed_events_are_retried(admin_client, failing):
    failing.clear()
    rows = dead()
    response = choose_in_list(admin_client, "retry", rows[:2])

    done = operate(admin_client, response["Location"], reason="mended")

    assert messages_after(admin_client, done) == ["Retry: 2 done."]
    drain()
    assert [row.pk for row in dead()] == [rows[2].pk]
    assert set(OperatorAction.objects.values_list("actor", "reason")) == {("admin", "mended")}


def test_nothing_is_done_before_the_page_between(admin_client):
    choose_in_list(admin_client, "discard", dead())
    admin_client.get(links(text_of(admin_client, row_url(dead()[0])))["Discard"])

    assert len(dead()) == DEAD
    assert not OperatorAction.objects.exists()


def test_discarding_needs_a_reason(admin_client):
    url = links(text_of(admin_client, row_url(dead()[0])))["Discard"]

    for reason in ("", "  "):
        response = operate(admin_client, url, reason=reason)
        assert "This field is required." in response.content.decode()
    assert len(dead()) == DEAD

    operate(admin_client, url, reason="test order")
    drain()
    assert len(dead()) == DEAD - 1
    assert ("cart-0", 2) in effects()


def test_a_whole_group_is_retried_beyond_a_page_of_the_list(admin_client, failing):
    failing.clear()
    url = links(text_of(admin_client, row_url(dead()[0])))["Retry its group"]

    assert "Type 3 to confirm" in operate(admin_client, url, confirmed="2").content.decode()
    done = operate(admin_client, url, confirmed="3")
    operation = Operation.objects.get()
    assert done["Location"] == row_url(operation)
    carry_out_operations()
    drain()

    assert dead() == []
    assert "100 %" in text_of(admin_client, row_url(operation))


def test_what_changed_since_the_page_was_shown_is_skipped(admin_client):
    first, *_ = rows = dead()
    response = choose_in_list(admin_client, "discard", rows)
    values = form_of(admin_client, response["Location"])
    dead_letters.retry(dead_letters.choose([first]), actor="ann")

    done = admin_client.post(response["Location"], values | {"reason": "x"})

    assert messages_after(admin_client, done) == [
        "Discard: 2 done.",
        f"Skipped {first.pk}: it has changed since it was chosen.",
    ]
    assert FailedEvent.objects.filter(pk=first.pk).exists()


def test_all_rows_of_the_list_are_not_chosen_unseen(admin_client):
    response = choose_in_list(admin_client, "retry", dead()[:1], select_across="1")

    chosen = form_of(admin_client, response["Location"])["chosen"]
    assert len(chosen.split(",")) == 1


def test_an_event_is_edited_and_retried(admin_client):
    row = dead()[0]
    url = links(text_of(admin_client, row_url(row)))["Edit and retry"]
    assert '"name": "item 1"' in form_of(admin_client, url)["event_data"]

    for data, message in [
        ("{", "t JSON: Expecting"),
        ('{"name": "ink"}', "quantity"),
        ('{"name": "ink", "quantity": 1, "colour": 1}', "colour"),
    ]:
        page = operate(admin_client, url, event_data=data, reason="unit").content.decode()
        assert message in page
    assert not OperatorAction.objects.exists()

    operate(admin_client, url, event_data='{"name": "ink", "quantity": 2}', reason="unit")
    row.refresh_from_db()
    assert (row.status, row.edited["data"]) == ("retrying", {"name": "ink", "quantity": 2})


def test_subscriptions_are_paused_and_resumed(admin_client):
    state = SubscriptionState.objects.get()
    response = choose_in_list(admin_client, "pause", [state])
    assert (
        "This field is required."
        in operate(admin_client, response["Location"], reason="").content.decode()
    )

    operate(admin_client, response["Location"], reason="deploy")
    state.refresh_from_db()
    assert (state.status, state.reason) == ("paused", "deploy")

    operate(admin_client, links(text_of(admin_client, row_url(state)))["Resume"])
    state.refresh_from_db()
    assert state.status == "active"


def test_rows_that_are_gone_lead_back_to_the_list(admin_client):
    url = links(text_of(admin_client, row_url(dead()[0])))["Retry"]
    FailedEvent.objects.all().delete()

    response = admin_client.get(url)

    assert response["Location"] == list_url(FailedEvent)


@pytest.mark.parametrize("chosen", ["", "1", "a.b.c", "x.y", "1.2,"])
def test_a_forged_choice_is_refused(admin_client, chosen):
    url = links(text_of(admin_client, row_url(dead()[0])))["Discard"]

    response = operate(admin_client, url, chosen=chosen, reason="x")

    assert response.status_code == 200
    assert len(dead()) == DEAD


# --- who may ---

OPERATIONS = {
    "retry_failedevent": (FailedEvent, "retry"),
    "discard_failedevent": (FailedEvent, "discard"),
    "edit_failedevent": (FailedEvent, "edit"),
    "operate_subscription": (SubscriptionState, "pause"),
}


def operation_url(model, operation):
    row = model.objects.first()
    return f"{list_url(model)}operate/{operation}/?id={row.pk}"


@pytest.mark.parametrize("permission", OPERATIONS)
def test_a_viewer_can_change_nothing(permission):
    model, operation = OPERATIONS[permission]
    client = staff(*VIEW)

    assert 'name="action"' not in text_of(client, list_url(model))
    found = links(text_of(client, row_url(model.objects.first())))
    assert not {"Retry", "Discard", "Edit and retry", "Pause", "Resume"} & found.keys()
    assert client.get(operation_url(model, operation)).status_code == 403
    assert client.post(operation_url(model, operation), {"reason": "x"}).status_code == 403
    choose_in_list(client, operation, list(model.objects.all()))
    assert not OperatorAction.objects.exists()


@pytest.mark.parametrize("permission", OPERATIONS)
def test_each_operation_has_a_permission_of_its_own(permission):
    client = staff(*VIEW, permission)
    for other, (model, operation) in OPERATIONS.items():
        expected = 200 if other == permission else 403
        assert client.get(operation_url(model, operation)).status_code == expected


def test_the_permission_without_that_to_view_is_not_enough():
    client = staff("retry_failedevent")
    assert client.get(operation_url(FailedEvent, "retry")).status_code == 403


def test_not_even_superusers_change_rows_past_the_operations(admin_client):
    for row in (dead()[0], SubscriptionState.objects.get()):
        assert admin_client.get(list_url(type(row)) + "add/").status_code == 403
        assert admin_client.post(row_url(row), {"_save": "1"}).status_code == 403
        assert admin_client.post(row_url(row, "delete"), {"post": "yes"}).status_code == 403
        choose_in_list(admin_client, "delete_selected", [row], post="yes")
        assert type(row).objects.filter(pk=row.pk).exists()


def test_pages_run_no_code_of_their_own(admin_client):
    urls = [
        list_url(FailedEvent),
        list_url(SubscriptionState),
        row_url(dead()[0]),
        row_url(SubscriptionState.objects.get()),
        *(operation_url(model, operation) for model, operation in OPERATIONS.values()),
    ]
    for url in urls:
        assert inline_code(text_of(admin_client, url)) == [], url


def test_the_list_of_failed_events_is_neither_counted_nor_read_with_its_tracebacks(admin_client):
    with CaptureQueriesContext(connection) as queries:
        text_of(admin_client, list_url(FailedEvent))

    statements = [query["sql"] for query in queries if "events_failed" in query["sql"]]
    assert statements
    # Counts of groups have an end.
    counting = [each for each in statements if "COUNT(*)" in each.upper()]
    assert not [each for each in counting if "LIMIT 100" not in each]
    assert not [each for each in statements if '"traceback"' in each]
