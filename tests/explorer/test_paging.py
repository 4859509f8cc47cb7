from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from django.test import Client

from events.explorer import keyset, paging
from events.models import AggregateVersion, Event
from tests.explorer.pages import links, list_url, shown, text_of
from tests.explorer.rows import stored_event, stored_events, stored_streams

EVENTS = "/admin/events/event/"


@pytest.fixture(autouse=True)
def _three_rows_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset.KeysetAdmin, "list_per_page", 3)


def numbers(client: Client, url: str) -> list[str]:
    """Sequence numbers, which unlike positions start at 0 in each test."""
    return [str(Event.objects.get(pk=int(p)).sequence_number) for p in shown(client, url)]


def follow(client: Client, url: str, text: str) -> str:
    found = links(text_of(client, url))
    assert text in found, found
    return EVENTS + found[text]


def test_first_page_has_the_newest_events_and_no_way_back(admin_client: Client) -> None:
    stored_events(7)
    assert numbers(admin_client, EVENTS) == ["6", "5", "4"]
    around = links(text_of(admin_client, EVENTS))
    assert "Next" in around
    assert not {"First page", "Previous"} & around.keys()


def test_next_leads_to_the_last_page_and_previous_back_to_the_first(admin_client: Client) -> None:
    stored_events(7)
    second = follow(admin_client, EVENTS, "Next")
    third = follow(admin_client, second, "Next")
    assert numbers(admin_client, second) == ["3", "2", "1"]
    assert numbers(admin_client, third) == ["0"]
    assert "Next" not in links(text_of(admin_client, third))
    back = follow(admin_client, third, "Previous")
    assert numbers(admin_client, back) == ["3", "2", "1"]
    top = follow(admin_client, back, "Previous")
    assert numbers(admin_client, top) == ["6", "5", "4"]
    assert "Previous" not in links(text_of(admin_client, top))
    assert numbers(admin_client, follow(admin_client, third, "First page")) == ["6", "5", "4"]


def test_a_page_that_ends_with_the_last_event_has_no_next(admin_client: Client) -> None:
    stored_events(3)
    assert "Next" not in links(text_of(admin_client, EVENTS))


def test_events_appended_meanwhile_do_not_shift_the_next_page(admin_client: Client) -> None:
    stored_events(4)
    second = follow(admin_client, EVENTS, "Next")
    stored_events(3, aggregate_id="cart-2")
    assert numbers(admin_client, second) == ["0"]


def test_a_page_before_the_top_is_filled_up_from_the_top(admin_client: Client) -> None:
    events = stored_events(5)
    url = list_url(Event, before=str(events[3].position))
    assert numbers(admin_client, url) == ["4", "3", "2"]


def test_page_behind_the_last_event_says_so(admin_client: Client) -> None:
    event = stored_event()
    html = text_of(admin_client, list_url(Event, after=str(event.position)))
    assert "The list ends before this page." in html
    assert links(html)["First page"] == "?"


def test_streams_are_paged_by_name_across_categories(admin_client: Client) -> None:
    names = ["Cart-a", "Cart-b", "Cart-c", "Cart-d", "Order-a", "Order-b", "User-a"]
    stored_streams(names[::-1])
    seen, url = [], list_url(AggregateVersion)
    while True:
        seen += shown(admin_client, url)
        following = links(text_of(admin_client, url)).get("Next")
        if following is None:
            break
        url = list_url(AggregateVersion) + following
    assert seen == names
    back = list_url(AggregateVersion) + links(text_of(admin_client, url))["Previous"]
    assert shown(admin_client, back) == ["Cart-d", "Order-a", "Order-b"]


def test_filter_and_search_go_along_from_page_to_page(admin_client: Client) -> None:
    stored_events(5, metadata={"correlation_id": "c-1"})
    stored_events(5, aggregate_id="cart-2", event_type="tests.ItemRemoved")
    url = list_url(Event, type="tests.ItemAdded", q="correlation:c-1")
    following = follow(admin_client, url, "Next")
    assert parse_qs(following.partition("?")[2]).keys() == {"type", "q", "after"}
    assert numbers(admin_client, following) == ["1", "0"]


def test_a_new_search_or_filter_starts_at_the_first_page(admin_client: Client) -> None:
    stored_events(5)
    html = text_of(admin_client, follow(admin_client, EVENTS, "Next"))
    assert 'name="after"' not in html
    assert links(html)["tests.ItemAdded"] == "?type=tests.ItemAdded"


@pytest.mark.parametrize(
    "cursor",
    [
        "after=",
        "after=x",
        "after=1&after=2",
        "before=1.5",
        "after=%00",
        "after=99999999999999999999",
    ],
)
def test_a_cursor_that_names_no_place_leads_to_the_first_page(
    admin_client: Client, cursor: str
) -> None:
    response = admin_client.get(f"{EVENTS}?{cursor}")
    assert (response.status_code, response["Location"]) == (302, f"{EVENTS}?e=1")
    assert admin_client.get(response["Location"]).status_code == 200


def test_a_cursor_of_text_that_no_database_stores_leads_to_the_first_page(
    admin_client: Client,
) -> None:
    stored_streams(["Cart-a"])
    response = admin_client.get(f"{list_url(AggregateVersion)}?after=Cart&after=%00")
    assert response["Location"].endswith("?e=1")


def test_lists_cannot_be_sorted_by_column(admin_client: Client) -> None:
    stored_events(2)
    assert "?o=" not in text_of(admin_client, EVENTS)
    assert numbers(admin_client, f"{EVENTS}?o=1") == ["1", "0"]


def test_search_for_a_rare_combination_stops_and_can_go_on(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "SCAN_LIMIT", 4)
    monkeypatch.setattr(paging, "SCAN_BATCH", 2)
    stored_events(2, aggregate_type="Order")
    stored_events(9)
    url = list_url(Event, type="tests.ItemAdded", category="Order")
    for _ in range(2):
        html = text_of(admin_client, url)
        assert "Only part of the list was searched" in html
        assert shown(admin_client, url) == []
        url = EVENTS + links(html)["Next"]
    assert numbers(admin_client, url) == ["1", "0"]
    html = text_of(admin_client, url)
    assert "Only part of the list" not in html
    back = EVENTS + links(html)["Previous"]
    assert "Only part of the list" in text_of(admin_client, back)
