from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from events.explorer.presentation import duration
from events.explorer.trace import reading
from events.models import CommandRecord, Event, FailedEvent, SubscriptionState
from tests.explorer.pages import inline_code, links, list_url, row_url, text_of
from tests.explorer.people import staff
from tests.explorer.rows import stored_event, stored_events
from tests.factories import MOMENT


def url_of(correlation: str) -> str:
    return reverse("admin:events_event_trace") + f"?correlation={correlation}"


def caused(number: int, cause: object = None, **overrides: Any) -> Event:
    metadata = {"correlation_id": "c-1", "causation_id": cause and str(cause)}
    metadata |= overrides.pop("metadata", {})
    return stored_event(
        **{
            "aggregate_id": f"cart-{number}",
            "event_type": f"tests.Step{number}",
            "recorded_at": MOMENT + timedelta(seconds=number),
            "metadata": metadata,
        }
        | overrides
    )


def order_of(html: str, *texts: str) -> list[str]:
    table = html[html.index("waterfall-heading") :]
    return sorted(texts, key=table.index)


def test_events_are_shown_below_what_caused_them(admin_client: Client) -> None:
    first = caused(1)
    second = caused(2, first.event_id)
    third = caused(3, first.event_id)
    fourth = caused(4, second.event_id)
    html = text_of(admin_client, url_of("c-1"))
    names = ["tests.Step1", "tests.Step2", "tests.Step4", "tests.Step3"]
    assert order_of(html, *sorted(names)) == names
    for event in (first, second, third, fourth):
        assert row_url(event) in html
    assert 'class="explorer-indent is-2"' in html
    assert inline_code(html) == []


def test_command_stands_between_its_cause_and_its_effects(admin_client: Client) -> None:
    command = UUID(int=7)
    CommandRecord.objects.create(command_id=command, command_type="tests.Do", outcome={})
    first = caused(1)
    caused(2, command, metadata={"command_causation_id": str(first.event_id)})
    html = text_of(admin_client, url_of("c-1"))
    assert order_of(html, "tests.Do", "tests.Step1", "tests.Step2") == [
        "tests.Step1",
        "tests.Do",
        "tests.Step2",
    ]
    page = text_of(admin_client, row_url(Event.objects.get(event_type="tests.Step2")))
    assert "Decided when the command tests.Do" in page
    assert row_url(first) in page
    assert "tests.Step2" in text_of(admin_client, row_url(first))


def test_cause_in_another_conversation_is_shown_as_such(admin_client: Client) -> None:
    outside = stored_event(
        aggregate_id="before", event_type="tests.Before", metadata={"correlation_id": "c-0"}
    )
    caused(1, outside.event_id)
    html = text_of(admin_client, url_of("c-1"))
    assert "of another conversation" in html
    assert row_url(outside) in html


def test_failures_are_marked_at_their_events(admin_client: Client) -> None:
    event = caused(1)
    state = SubscriptionState.objects.create(name="tests.mail")
    failed = FailedEvent.objects.create(
        subscription=state,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        sequence_number=0,
        position=event.position,
        event_id=event.event_id,
        event_type=event.event_type,
        lane=0,
    )
    html = text_of(admin_client, url_of("c-1"))
    assert row_url(failed) in html
    assert "tests.mail" in html


def test_events_that_name_each_other_as_causes_do_not_hang_the_page(admin_client: Client) -> None:
    one, other = UUID(int=1), UUID(int=2)
    caused(1, other, event_id=one)
    caused(2, one, event_id=other)
    caused(3, UUID(int=3), event_id=UUID(int=3))
    html = text_of(admin_client, url_of("c-1"))
    for number in (1, 2, 3):
        assert f"tests.Step{number}" in html


def test_long_conversation_is_read_page_by_page_and_drawn_collapsed(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_EVENTS", 10)
    root = caused(1)
    metadata = {"correlation_id": "c-1", "causation_id": str(root.event_id)}
    events = stored_events(12, aggregate_id="cart-9", metadata=metadata)
    html = text_of(admin_client, url_of("c-1"))
    assert "tests.ItemAdded +8" in html
    assert row_url(events[9]) not in html
    html = text_of(admin_client, links(html)["Later events"])
    assert row_url(events[9]) in html
    assert row_url(events[11]) in html
    assert "Later events" not in links(html)


def test_rests_are_drawn_short_and_named(admin_client: Client) -> None:
    for number in (1, 2, 3, 4):
        caused(number)
    caused(5, recorded_at=MOMENT + timedelta(hours=5))
    html = text_of(admin_client, url_of("c-1"))
    assert "Long rests are drawn short: 4 h 59 min" in html


@pytest.mark.parametrize("correlation", ["nowhere", "", "%00"])
def test_conversation_that_there_is_not_is_not_found(
    admin_client: Client, correlation: str
) -> None:
    stored_event()
    assert admin_client.get(url_of(correlation)).status_code == 404


def test_trace_is_for_those_who_may_see_events(db: None, client: Client) -> None:
    caused(1)
    staff(client, "view_aggregateversion")
    assert client.get(url_of("c-1")).status_code == 403


def test_event_leads_to_its_trace_and_the_trace_to_the_list(admin_client: Client) -> None:
    event = caused(1)
    html = text_of(admin_client, links(text_of(admin_client, row_url(event)))["Trace"])
    assert links(html)["As a list"] == list_url(Event, q="correlation:c-1")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(milliseconds=7), "7 ms"),
        (timedelta(seconds=1.25), "1.25 s"),
        (timedelta(hours=2, minutes=3, seconds=4), "2 h 3 min"),
        (timedelta(days=3), "3 d"),
    ],
)
def test_durations_have_two_units_at_most(value: timedelta, text: str) -> None:
    assert duration(value) == text
