from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client

from events.models import AggregateVersion, Event, Snapshot
from tests.explorer.pages import links, list_url, shown, text_of
from tests.explorer.rows import stored_event, stored_events, stored_snapshot, stored_streams

EVENT_ID = UUID("0198c0de-7e1a-7000-8000-0000000000aa")
AGGREGATE_ID = "0198c0de-7e1a-7000-8000-0000000000bb"
NAME = f"User-{AGGREGATE_ID}"


def found(client: Client, text: str, **filters: str) -> list[str]:
    return shown(client, list_url(Event, q=text, **filters))


@pytest.mark.parametrize(
    "text",
    [
        f"id:{EVENT_ID}",
        f"id:{str(EVENT_ID).upper()}",
        "type:UserLoggedIn",
        f"stream:{NAME}",
        "correlation:c-1",
        "cause:m-1",
        f"type:UserLoggedIn stream:{NAME} cause:m-1",
    ],
)
def test_qualifier_finds_exactly_what_it_names(admin_client: Client, text: str) -> None:
    stored_events(3, metadata={"correlation_id": "c-11", "causation_id": "m-11"})
    wanted = stored_event(
        event_id=EVENT_ID,
        aggregate_type="User",
        aggregate_id=AGGREGATE_ID,
        event_type="UserLoggedIn",
        metadata={"correlation_id": "c-1", "causation_id": "m-1"},
    )
    stored_event(aggregate_type="Order", aggregate_id=AGGREGATE_ID)
    assert found(admin_client, text) == [str(wanted.position)]


def test_several_qualifiers_narrow_down(admin_client: Client) -> None:
    stored_event(metadata={"correlation_id": "c-1"})
    assert found(admin_client, "correlation:c-1 type:UserLoggedIn") == []


def test_a_stream_is_listed_by_sequence_number_from_page_to_page(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.explorer.keyset.KeysetAdmin.list_per_page", 2)
    positions = [str(event.position) for event in stored_events(4)]
    stored_events(1, aggregate_id="cart-2")
    url = list_url(Event, q="stream:Cart-cart-1")
    assert shown(admin_client, url) == [positions[3], positions[2]]
    second = list_url(Event) + links(text_of(admin_client, url))["Next"]
    assert shown(admin_client, second) == [positions[1], positions[0]]


def test_unknown_qualifier_is_answered_with_the_known_ones(admin_client: Client) -> None:
    stored_event()
    html = text_of(admin_client, list_url(Event, q="colour:red"))
    assert "“colour:” is unknown. Known are id: stream: cause: correlation: type:" in html
    assert found(admin_client, "colour:red") == []


@pytest.mark.parametrize("text", ["id:42", "stream:User", "type:", "one two"])
def test_misspelt_search_finds_nothing_and_says_why(admin_client: Client, text: str) -> None:
    stored_event()
    assert 'class="error"' in text_of(admin_client, list_url(Event, q=text))
    assert found(admin_client, text) == []


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (str(EVENT_ID), f"id:{EVENT_ID}"),
        (f"{{{str(EVENT_ID).upper()}}}", f"id:{EVENT_ID}"),
        (NAME, f"stream:{NAME}"),
        (AGGREGATE_ID.upper(), f"stream:{NAME}"),
        ("c-1", "correlation:c-1"),
        ("m-1", "cause:m-1"),
        ("UserLoggedIn", "type:UserLoggedIn"),
        ("UserLoggedIn cause:m-1", "cause:m-1 type:UserLoggedIn"),
    ],
)
def test_pasted_word_leads_to_where_it_occurs(admin_client: Client, word: str, text: str) -> None:
    stored_streams([NAME, "Cart-cart-1"])
    stored_event(
        event_id=EVENT_ID,
        aggregate_type="User",
        aggregate_id=AGGREGATE_ID,
        event_type="UserLoggedIn",
        metadata={"correlation_id": "c-1", "causation_id": "m-1"},
    )
    response = admin_client.get(list_url(Event, q=word, category="User", after="7", before="7"))
    assert response.status_code == 302, "the word wasn't located"
    assert response["Location"] == list_url(Event, q=text, category="User")


def test_word_that_names_several_things_offers_the_others(admin_client: Client) -> None:
    stored_streams(["Cart-x-1", "Order-x-1"])
    stored_event(metadata={"correlation_id": "x-1"})
    response = admin_client.get(list_url(Event, q="x-1"), follow=True)
    around = links(response.content.decode())
    assert response.redirect_chain[0][0] == list_url(Event, q="stream:Cart-x-1")
    assert around["stream: Order-x-1"] == list_url(Event, q="stream:Order-x-1")
    assert around["correlation: x-1"] == list_url(Event, q="correlation:x-1")


@pytest.mark.parametrize("word", ["nothing", "No-where", str(EVENT_ID), '"a:b"', "a\0b"])
def test_word_that_occurs_nowhere_finds_nothing(admin_client: Client, word: str) -> None:
    stored_event()
    response = admin_client.get(list_url(Event, q=word), follow=True)
    assert response.status_code == 200
    assert not response.redirect_chain


@pytest.mark.parametrize("model", [AggregateVersion, Snapshot])
@pytest.mark.parametrize(
    ("text", "names"),
    [
        (NAME, [NAME]),
        (AGGREGATE_ID, [f"Order-{AGGREGATE_ID}", NAME]),
        (AGGREGATE_ID.upper(), [f"Order-{AGGREGATE_ID}", NAME]),
        ("cart-1", ["Cart-cart-1"]),
        ("cart", []),
        ("Cart-", []),
    ],
)
def test_streams_and_snapshots_are_found_by_whole_name_or_id(
    admin_client: Client, model: type[AggregateVersion], text: str, names: list[str]
) -> None:
    everything = [NAME, "Cart-cart-1", f"Order-{AGGREGATE_ID}", "Cart-cart-11"]
    stored_streams(everything)
    for name in everything:
        category, aggregate_id = name.split("-", 1)
        stored_snapshot(aggregate_type=category, aggregate_id=aggregate_id)
    assert shown(admin_client, list_url(model, q=text)) == names


def test_filters_list_the_stored_types_and_categories(admin_client: Client) -> None:
    stored_events(2, aggregate_type="Order", event_type="of.an.old.release")
    stored_events(2)
    html = text_of(admin_client, list_url(Event))
    around = links(html)
    assert around["of.an.old.release"] == "?type=of.an.old.release"
    assert around["Cart"] == "?category=Cart"
    assert len(shown(admin_client, list_url(Event, category="Order"))) == 2
    assert shown(admin_client, list_url(Event, category="Order", type="tests.ItemAdded")) == []


@pytest.mark.parametrize("text", ["type:tests.ItemRemoved", "stream:Order-1"])
def test_search_that_contradicts_the_filters_says_so(admin_client: Client, text: str) -> None:
    stored_event()
    url = list_url(Event, q=text, type="tests.ItemAdded", category="Cart")
    assert "The search and the filters contradict each other." in text_of(admin_client, url)
    assert shown(admin_client, url) == []


def test_search_and_filter_for_the_same_need_no_second_look(admin_client: Client) -> None:
    event = stored_event()
    url = list_url(Event, q="type:tests.ItemAdded stream:Cart-cart-1", type="tests.ItemAdded")
    assert shown(admin_client, url) == [str(event.position)]


def test_filter_by_unprintable_text_is_no_error(admin_client: Client) -> None:
    stored_event()
    assert admin_client.get("/admin/events/event/?type=%00")["Location"].endswith("?e=1")


@pytest.mark.parametrize(
    "lookup",
    ["event_data__name=pen", "event_type__icontains=x", "position__gt=1", "metadata__x__y=1"],
)
def test_addresses_cannot_compose_queries_of_their_own(admin_client: Client, lookup: str) -> None:
    stored_event()
    assert admin_client.get(f"/admin/events/event/?{lookup}").status_code == 400
