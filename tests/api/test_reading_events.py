from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from events.envelope import recorded_event_to_json
from events.registry import event_types
from events.store.base import EventStore
from events.streams import StreamName

from ..factories import cart, item_added
from .conftest import Api

PATH = "/api/streams/Cart-cart-1/events"


@pytest.fixture
def five_events(store: EventStore) -> None:
    store.append(cart(), [item_added(quantity=number) for number in range(5)])


def numbers(response: Any) -> list[int]:
    return [event["sequenceNumber"] for event in response.json()["events"]]


def test_a_stream_is_read_in_envelopes(api: Api, store: EventStore, five_events: None):
    body = api.get(PATH).json()

    assert body["stream"] == "Cart-cart-1"
    assert body["version"] == 4
    assert body["next"] is None
    assert body["events"] == [recorded_event_to_json(event) for event in store.read_stream(cart())]


def test_pages_follow_each_other_to_the_end(api: Api, five_events: None):
    seen, url = [], f"{PATH}?limit=2"
    while url:
        response = api.get(url)
        seen.append(numbers(response))
        url = response.json()["next"]

    assert seen == [[0, 1], [2, 3], [4]]


def test_a_full_last_page_has_no_next(api: Api, five_events: None):
    assert api.get(f"{PATH}?limit=5").json()["next"] is None
    assert numbers(api.get(f"{PATH}?from_version=4")) == [4]
    past = api.get(f"{PATH}?from_version=5").json()
    assert (past["events"], past["next"]) == ([], None)


def test_a_page_costs_two_queries_whatever_the_length_of_the_stream(
    api: Api, five_events: None, django_assert_num_queries: Any
):
    with django_assert_num_queries(2 + 2):  # the session and its user, the version and the events
        api.get(f"{PATH}?limit=2")


def test_a_page_never_shows_more_than_the_version_that_it_names(
    api: Api, store: EventStore, five_events: None, monkeypatch: pytest.MonkeyPatch
):
    # As if two events came between the two queries.
    monkeypatch.setattr(type(store), "stream_version", lambda self, stream: 2)

    response = api.get(PATH)

    assert numbers(response) == [0, 1, 2]
    assert response.json()["next"] is None


def test_a_browser_may_ask_for_json_in_the_query(api: Api, five_events: None):
    response = api.get(f"{PATH}?format=json&limit=1", Accept="text/html,*/*;q=0.8")

    assert response["Content-Type"] == "application/json"
    assert "format=json" in response.json()["next"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from_version=-1", "from_version"),
        ("from_version=x", "from_version"),
        ("from_version=9223372036854775808", "from_version"),
        ("from_version=" + "9" * 5000, "from_version"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=1.5", "limit"),
        ("form_version=1", "form_version"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_query_names_the_parameter(api: Api, five_events: None, query: str, field: str):
    response = api.get(f"{PATH}?{query}")

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("name", ["User", "$all", "-1", "$x-1", "User-", f"{'x' * 101}-1", "A-%00"])
def test_a_malformed_stream_name_is_refused(api: Api, name: str):
    response = api.get(f"/api/streams/{name}/events")

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["stream"]


def test_a_stream_that_does_not_exist_is_not_found(api: Api):
    response = api.get("/api/streams/User-\u00e9/events")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["instance"] == "/api/streams/User-%C3%A9/events"


def test_an_id_may_hold_slashes_and_spaces(api: Api, store: EventStore):
    store.append(StreamName("Cart", "a/b c-\u00e9"), [item_added()])

    response = api.get("/api/streams/Cart-a%2Fb%20c-%C3%A9/events")

    assert numbers(response) == [0]
    assert "Cart-a/b c-\u00e9".encode() in response.content


def test_an_event_is_read_by_its_id(api: Api, store: EventStore, five_events: None):
    event = list(store.read_stream(cart()))[2]

    response = api.get(f"/api/events/{event.event_id}")

    assert response.json() == recorded_event_to_json(event)


def test_unknown_and_malformed_event_ids_are_told_apart(api: Api):
    assert api.get(f"/api/events/{UUID(int=1)}").status_code == 404
    malformed = api.get("/api/events/1")
    assert malformed.status_code == 400
    assert malformed.json()["errors"][0]["field"] == "event_id"


def test_events_of_a_type_that_no_code_knows_are_shown_as_stored(
    api: Api, store: EventStore, five_events: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(event_types, "_classes", {})

    events = api.get(PATH).json()["events"]

    assert [event["data"] for event in events][1] == {"name": "pen", "quantity": 1}
    assert api.get(f"/api/events/{events[0]['eventId']}").json() == events[0]


def test_a_reader_who_has_the_version_is_spared_the_events(
    api: Api, store: EventStore, five_events: None
):
    etag = api.get(PATH)["ETag"]
    assert etag == 'W/"4"'

    unchanged = api.get(PATH, **{"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged["ETag"] == etag

    store.append(cart(), [item_added()])
    assert api.get(PATH, **{"If-None-Match": etag}).status_code == 200


def test_head_and_options_answer(api: Api, five_events: None):
    for path in [PATH, "/api/commands", "/api/commands/register-user"]:
        head = api.client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        options = api.client.options(path)
        assert options.status_code == 200
        assert "GET" in options["Allow"]


def test_options_describe_the_fields_of_a_command(api: Api):
    fields = api.client.options("/api/commands/deactivate-user").json()["actions"]["POST"]

    assert fields["user_id"]["type"] == "uuid"
    assert fields["expected_version"]["nullable"] is True
