"""What all pages of the explorer have in common."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.template import Context, Template
from django.test import Client
from pytest_django.fixtures import Settings

from events.explorer.charts import LineChart, Series
from events.explorer.json_tree import MAX_NODES
from events.models import AggregateVersion, Event, OperatorAction, Snapshot
from events.personal import HIDDEN
from tests.explorer.pages import inline_code, links, list_url, row_url, text_of
from tests.explorer.rows import stored_event

POLICY = "Content-Security-Policy"


def test_pages_of_the_explorer_allow_nothing_inline_and_nothing_foreign(
    admin_client: Client,
) -> None:
    for url in (list_url(Event), row_url(stored_event())):
        assert admin_client.get(url)[POLICY] == "default-src 'self'; base-uri 'self'"


def test_pages_of_the_host_keep_their_own_policy(admin_client: Client) -> None:
    assert POLICY not in admin_client.get("/admin/")
    assert POLICY not in admin_client.get(list_url(User))


@pytest.mark.parametrize("policy", [None, "default-src https://example.com"])
def test_the_host_can_say_what_the_policy_is(
    admin_client: Client, settings: Settings, policy: str | None
) -> None:
    settings.EVENTS = {"explorer_content_policy": policy}
    assert admin_client.get(list_url(Event)).get(POLICY) == policy


def test_navigation_leads_to_what_the_user_may_view(db: None, client: Client) -> None:
    account = User.objects.create_user("staff", is_staff=True)
    permissions = Permission.objects.filter(codename__in=["view_event", "view_aggregateversion"])
    account.user_permissions.set(permissions)
    client.force_login(account)
    html = text_of(client, list_url(Event))
    around = links(html)
    assert around["Streams"] == list_url(AggregateVersion)
    assert "Snapshots" not in around
    assert "Operator log" not in around
    assert f'<a href="{list_url(Event)}" aria-current="page">' in html
    assert f'<a href="{list_url(AggregateVersion)}" aria-current' not in html


def test_pages_of_rows_have_the_navigation_and_those_of_the_host_do_not(
    admin_client: Client,
) -> None:
    for url in (row_url(stored_event()), list_url(Snapshot), list_url(OperatorAction)):
        assert 'class="explorer-navigation"' in text_of(admin_client, url)
    assert 'class="explorer-navigation"' not in text_of(admin_client, list_url(User))


def rendered(text: str, **context: Any) -> str:
    html = Template("{% load events_explorer %}" + text).render(Context(context))
    assert inline_code(html) == []
    return html


def test_tree_shows_each_value_as_json_does() -> None:
    value = {"a": "<b>", "n": 2**70, "t": True, "z": None, "list": [1], "none": [], "h": HIDDEN}
    html = rendered('{% json_panel "x" "Data" value %}', value=value)
    for text in ("&quot;&lt;b&gt;&quot;", "1180591620717411303424", ">true<", ">null<", "1 item"):
        assert text in html
    assert 'is-hidden" title="Personal, hidden">•••<' in html


def test_tree_of_a_large_value_is_cut_and_says_so() -> None:
    html = rendered("{% json_tree value %}", value=list(range(MAX_NODES + 10)))
    assert html.count('"explorer-leaf"') == MAX_NODES - 1
    assert "11 more, in the text" in html


def test_chart_has_a_title_a_description_and_a_table_with_the_same_numbers() -> None:
    chart = LineChart(
        title="Lag",
        description="Rises",
        steps=["12:00", "12:01", "12:02"],
        series=[Series(label="mail", values=[1.0, None, 4.0])],
    )
    html = rendered('{% line_chart chart "lag" %}', chart=chart)
    assert '<title id="lag-title">Lag</title>' in html
    assert html.count("<polyline") == 2
    assert '<th scope="row">12:01</th><td>-</td>' in html
    assert '<th scope="row">12:02</th><td>4.0</td>' in html
