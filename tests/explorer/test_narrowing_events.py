"""Searches by times, by persons and by fields of the data."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from events.explorer import paging
from events.explorer.json_fields import JsonField, indexed_fields
from events.explorer.moments import first_position_since, parse_moment
from events.models import Event
from tests.explorer.pages import links, list_url, shown, text_of
from tests.explorer.people import staff
from tests.explorer.rows import stored_event, stored_events
from tests.explorer.test_statements import lists, plan_of, statements
from tests.factories import MOMENT


def found(client: Client, text: str, **more: str) -> list[str]:
    return shown(client, list_url(Event, q=text, **more))


def events_by_the_hour(count: int, **overrides: object) -> list[Event]:
    return [
        stored_event(
            sequence_number=number, recorded_at=MOMENT + timedelta(hours=number), **overrides
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("since:24h", range(76, 100)),
        ("since:3d", range(28, 100)),
        ("since:2026-03-04", range(60, 100)),
        ("until:2026-03-01T15:00", range(3)),
        ("since:2026-03-01T14:00 until:2026-03-01T17:00", range(2, 5)),
        ("since:2027-01-01", range(0)),
        ("until:2020-01-01", range(0)),
        ("type:tests.ItemAdded since:2h", range(98, 100)),
        ("stream:Cart-cart-1 since:2h", range(98, 100)),
        ("stream:Cart-cart-1 until:2026-03-01T14:00", range(2)),
        ("category:Cart correlation:c-1 since:1h", range(99, 100)),
    ],
)
def test_window_of_time_holds_what_was_recorded_in_it(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, text: str, numbers: range
) -> None:
    monkeypatch.setattr("events.explorer.keyset.KeysetAdmin.list_per_page", 200)
    events = events_by_the_hour(100, metadata={"correlation_id": "c-1"})
    stored_events(3, aggregate_id="cart-2", recorded_at=MOMENT + timedelta(days=90))
    with time_machine.travel(MOMENT + timedelta(hours=99, minutes=59)):
        positions = found(admin_client, text)
    others = {"cart-2"} if "stream" in text or "correlation" in text or "until" in text else set()
    mine = {str(event.position) for event in events}
    assert [p for p in positions if p in mine] == [
        str(events[number].position) for number in reversed(numbers)
    ]
    if others:
        assert set(positions) <= mine


def test_any_place_in_the_log_is_found_by_its_time(db: None) -> None:
    assert first_position_since(MOMENT) == 0
    events = events_by_the_hour(40)
    for event in events:
        assert first_position_since(event.recorded_at) == event.position
        between = event.recorded_at - timedelta(minutes=1)
        assert first_position_since(between) == event.position
    assert first_position_since(MOMENT + timedelta(days=9)) == events[-1].position + 1


@pytest.mark.parametrize("text", ["yesterday", "24", "99999999h", "2026-02-31", "", "1h30"])
def test_text_that_is_no_time_is_refused(text: str) -> None:
    assert parse_moment(text) is None


def test_search_for_no_time_says_so(admin_client: Client) -> None:
    html = text_of(admin_client, list_url(Event, q="since:yesterday"))
    assert "neither an age like 24h nor a time" in html


def test_field_without_an_index_is_looked_for_in_a_window_only(admin_client: Client) -> None:
    wanted = stored_event(event_data={"name": "pen", "box": {"number": 7}})
    stored_event(sequence_number=1, event_data={"name": "ink", "box": {"number": 77}})
    for text in ("data.box.number:7", "by:7"):
        html = text_of(admin_client, list_url(Event, q=text))
        assert "the whole log is too much to look through" in html
        assert found(admin_client, text) == []
    for text in (
        "data.box.number:7 since:2020-01-01",
        "data.box.number:7 type:tests.ItemAdded",
        "data.box.number:7 stream:Cart-cart-1",
    ):
        assert found(admin_client, text) == [str(wanted.position)]
    html = text_of(admin_client, list_url(Event, q="data.box.number:7 since:2020-01-01"))
    assert "No index serves data.box.number" in html


def test_page_looks_through_a_bounded_number_of_events_and_goes_on(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "SCAN_LIMIT", 20)
    monkeypatch.setattr(paging, "SCAN_BATCH", 10)
    wanted = stored_event(event_data={"name": "pen"})
    stored_events(30, aggregate_id="cart-2", event_data={"name": "ink"})
    url = list_url(Event, q="data.name:pen since:2020-01-01")
    assert shown(admin_client, url) == []
    html = text_of(admin_client, url)
    assert "Only part of the list was searched" in html
    assert shown(admin_client, list_url(Event) + links(html)["Next"]) == [str(wanted.position)]


def test_events_of_a_person_are_found_within_a_window(admin_client: Client) -> None:
    event = stored_event(metadata={"user_id": "7"})
    stored_event(sequence_number=1, metadata={"user_id": "77"})
    assert found(admin_client, "by:7 since:2020-01-01") == [str(event.position)]


def test_personal_field_is_searched_by_those_who_may_see_it(db: None, client: Client) -> None:
    event = stored_event(event_type="tests.PersonJoined", event_data={"email": "ada@example.com"})
    text = "data.email:ada@example.com since:2020-01-01"
    staff(client, "view_event")
    assert found(client, text) == []
    assert "is personal" in text_of(client, list_url(Event, q=text))
    staff(client, "view_event", "reveal_event", name="boss")
    assert found(client, text) == [str(event.position)]


def test_conditions_are_shown_each_with_a_list_without_it(admin_client: Client) -> None:
    html = text_of(admin_client, list_url(Event, q="type:a since:24h", category="Cart"))
    around = links(html)
    assert {"last hour", "last 24 hours", "last 7 days"} <= set(around)
    assert 'href="?category=Cart&amp;q=since%3A24h" title="Without this condition"' in html
    assert 'href="?q=type%3Aa+since%3A24h" title="Without this condition"' in html
    assert around["Look in: last 7 days"] == "?category=Cart&q=type%3Aa+since%3A7d"


@pytest.mark.parametrize(
    "name", ["data", "data.", "data.a b", "data.a'b", "x.y", "data." + "a" * 300]
)
def test_names_that_no_field_can_have_are_refused(name: str) -> None:
    assert JsonField.parse(name) is None


# --- indexes of fields ---


def event_indexes(*arguments: str) -> str:
    out = StringIO()
    call_command("event_indexes", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_field_with_an_index_is_found_in_the_whole_log(client: Client) -> None:
    staff(client, "view_event")
    event_indexes("add", "data.order.id")
    try:
        assert event_indexes("list") == "data.order.id\n"
        wanted = stored_event(event_data={"order": {"id": "o-1"}})
        stored_events(300, aggregate_id="cart-2", event_data={"order": {"id": "o-2"}})
        stored_events(300, aggregate_id="cart-3", event_data={"x": "y" * 5000})
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE events")
        assert found(client, "data.order.id:o-1") == [str(wanted.position)]
        (heads,) = filter(lists, statements(client, list_url(Event, q="data.order.id:o-2")))
        plan = plan_of(heads)
        assert "events_json_" in plan, plan
        assert "Sort" not in plan, plan
        first = text_of(client, list_url(Event, q="data.order.id:o-2"))
        assert len(shown(client, list_url(Event) + links(first)["Next"])) == 50
        response = client.get(list_url(Event, q="o-1"))
        assert response["Location"] == list_url(Event, q="data.order.id:o-1")
        long = "z" * 300
        stored_event(aggregate_id="cart-4", event_data={"order": {"id": long}})
        assert "the value is too long" in text_of(
            client, list_url(Event, q=f"data.order.id:{long}")
        )
    finally:
        assert "has no index" in event_indexes("drop", "data.order.id")
    assert indexed_fields() == []


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_field_that_cannot_be_is_refused_by_the_command() -> None:
    with pytest.raises(CommandError, match=r"isn't of the form data\.name"):
        event_indexes("add", "data.x); DROP TABLE events; --")


@pytest.mark.sqlite
def test_command_says_where_there_are_no_such_indexes(db: None) -> None:
    with pytest.raises(CommandError, match="Only PostgreSQL"):
        event_indexes("list")
