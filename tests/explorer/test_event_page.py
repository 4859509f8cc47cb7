from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from events.explorer import queries
from events.messages import DomainEvent
from events.models import Event
from events.registry import event
from events.upcasting import upcasts
from tests.explorer.pages import inline_code, links, list_url, row_url, text_of
from tests.explorer.rows import stored_event, stored_events, stored_streams
from tests.factories import MOMENT

UNREADABLE = "The code of this process cannot read this event"


@event("tests.Renamed", version=2)
class Renamed(DomainEvent):
    new_name: str


@upcasts("tests.Renamed", from_version=1)
def rename_field(data: dict[str, Any]) -> dict[str, Any]:
    data["new_name"] = data.pop("name")  # fails where there is none, and changes what it is given
    return data


@event("tests.Guarded")
class Guarded(DomainEvent):
    amount: int

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ArithmeticError("never negative")


def facts(html: str) -> list[str]:
    """The values of the list at the top of the page."""
    return [re.sub(r"<[^>]*>", "", value) for value in re.findall(r"<dd>(.*?)</dd>", html)]


def page_of(client: Client, **overrides: Any) -> str:
    return text_of(client, row_url(stored_event(**overrides)))


def test_all_that_is_stored_is_shown(admin_client: Client) -> None:
    stored = stored_event(
        event_id=UUID("0198c0de-7e1a-7000-8000-0000000000aa"),
        sequence_number=7,
        occurred_on=MOMENT,
        recorded_at=MOMENT + timedelta(milliseconds=1234),
        metadata={"correlation_id": "c-1", "causation_id": "m-1", "user_id": "actor-7"},
    )
    html = text_of(admin_client, row_url(stored))
    for value in (
        str(stored.position),
        "0198c0de-7e1a-7000-8000-0000000000aa",
        "2026-03-01 12:00:00.000",
        "2026-03-01 12:00:01.234",
        "m-1",
        "actor-7",
    ):
        assert value in facts(html)
    assert links(html)["Cart-cart-1"] == list_url(Event, q="stream:Cart-cart-1")
    assert links(html)["c-1"] == list_url(Event, q="correlation:c-1")


@pytest.mark.parametrize("metadata", [{"user_id": None}, {"user_id": "null"}, {}])
def test_event_without_an_actor_has_a_dash(
    admin_client: Client, metadata: dict[str, str | None]
) -> None:
    stored = stored_event(metadata=metadata)
    assert '<td class="field-actor">-</td>' in text_of(admin_client, list_url(Event))
    shown = metadata.get("user_id") or "-"
    assert shown in facts(text_of(admin_client, row_url(stored)))


def test_integers_beyond_what_browsers_know_stay_exact(admin_client: Client) -> None:
    html = page_of(admin_client, event_data={"name": "pen", "quantity": 2**80 + 1})
    assert "&quot;quantity&quot;: 1208925819614629174706177" in html


def test_markup_in_stored_values_is_text(admin_client: Client) -> None:
    attack = "</code><script>alert(1)</script>"
    stored = stored_event(
        aggregate_id=attack,
        event_type=attack,
        event_data={attack: attack},
        metadata={"user_id": attack, "correlation_id": attack, "causation_id": attack},
    )
    for url in (row_url(stored), list_url(Event), list_url(Event, type=attack)):
        assert "<script>alert" not in text_of(admin_client, url)


def test_no_page_needs_inline_code_or_style(admin_client: Client) -> None:
    stored = stored_event()
    for url in (row_url(stored), list_url(Event), list_url(Event, q="a:b"), "/admin/events/"):
        assert inline_code(text_of(admin_client, url)) == []


def test_event_that_reads_well_has_no_notice_and_one_form(admin_client: Client) -> None:
    html = page_of(admin_client)
    assert UNREADABLE not in html
    assert '<h2 id="data-heading">Data</h2>' in html
    assert "current-data" not in html


def test_event_of_an_earlier_version_is_shown_as_stored_and_as_read(admin_client: Client) -> None:
    html = page_of(
        admin_client, event_type="tests.Renamed", event_version=1, event_data={"name": "pen"}
    )
    assert "Data, as version 2" in html
    assert "Data, as stored in version 1" in html
    assert html.index("&quot;new_name&quot;: &quot;pen&quot;") < html.index(
        "&quot;name&quot;: &quot;pen&quot;"
    )
    assert UNREADABLE not in html


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"event_type": "of.an.old.release"}, "registered for of.an.old.release version 1."),
        ({"event_version": 9}, "registered for tests.ItemAdded version 9."),
        (
            {"event_type": "tests.Renamed", "event_version": 1, "event_data": {}},
            "tests.Renamed version 1 can&#x27;t be upcast: KeyError(&#x27;name&#x27;)",
        ),
        ({"event_data": {"name": "pen"}}, "tests.ItemAdded.quantity: is missing"),
        ({"event_data": [1]}, "tests.ItemAdded: expected an object, got list [1]"),
        (
            {"event_type": "tests.Guarded", "event_data": {"amount": -1}},
            "ArithmeticError: never negative",
        ),
    ],
)
def test_event_that_no_code_can_read_is_shown_as_stored_with_the_reason(
    admin_client: Client, overrides: dict[str, Any], problem: str
) -> None:
    html = page_of(admin_client, **overrides)
    assert UNREADABLE in html
    assert problem in html
    assert '<h2 id="data-heading">Data</h2>' in html


@pytest.mark.sqlite
def test_half_a_surrogate_pair_in_stored_text_is_shown_escaped(admin_client: Client) -> None:
    html = page_of(admin_client, event_type="x", event_data={"text": "\ud800"})
    assert "\\ud800" in html


def test_previous_and_next_lead_along_the_stream(admin_client: Client) -> None:
    first, second, third = stored_events(3)
    stored_events(3, aggregate_id="cart-2")
    around = links(text_of(admin_client, row_url(second)))
    assert around["Previous in stream"] == row_url(first)
    assert around["Next in stream"] == row_url(third)
    assert "Previous in stream" not in links(text_of(admin_client, row_url(first)))
    assert "Next in stream" not in links(text_of(admin_client, row_url(third)))


def test_cause_and_effects_are_linked(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_CHILDREN", 2)
    cause = stored_event()
    effects = stored_events(
        3, aggregate_id="cart-2", metadata={"causation_id": str(cause.event_id)}
    )
    around = links(text_of(admin_client, row_url(cause)))
    assert around[str(effects[1].position)] == row_url(effects[1])
    assert str(effects[2].position) not in around
    assert around["All events that it caused"] == list_url(Event, q=f"cause:{cause.event_id}")
    assert links(text_of(admin_client, row_url(effects[0])))[str(cause.position)] == row_url(cause)


def test_cause_outside_of_the_log_is_shown_as_an_id(admin_client: Client) -> None:
    for cause in ("a message", "0198c0de-7e1a-7000-8000-0000000000aa"):
        html = page_of(admin_client, aggregate_id=cause, metadata={"causation_id": cause})
        assert cause in facts(html)
        assert "parent-heading" not in html


def test_the_stream_is_linked(admin_client: Client) -> None:
    (stream,) = stored_streams(["Cart-cart-1"])
    assert links(text_of(admin_client, row_url(stored_event())))["Stream"] == row_url(stream)


@pytest.mark.parametrize("key", ["0", "999999999999999999999999", "x"])
def test_event_that_does_not_exist_leads_back_with_a_message(
    admin_client: Client, key: str
) -> None:
    response = admin_client.get(f"/admin/events/event/{key}/change/", follow=True)
    assert response.redirect_chain == [("/admin/", 302)]
    assert "Perhaps it was deleted?" in response.content.decode()
