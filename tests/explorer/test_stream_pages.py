from __future__ import annotations

import pytest
from django.test import Client

from events.explorer import stream_details
from events.models import AggregateVersion, Event, Snapshot
from tests.explorer.pages import inline_code, links, list_url, row_url, text_of
from tests.explorer.rows import stored_events, stored_snapshot, stored_streams


def test_stream_shows_its_events_newest_first_page_by_page(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_details, "EVENTS_PER_PAGE", 2)
    (stream,) = stored_streams(["Cart-cart-1"])
    events = stored_events(3)
    stored_events(1, aggregate_id="cart-2")
    first = text_of(admin_client, row_url(stream))
    assert first.index(row_url(events[2])) < first.index(row_url(events[1]))
    assert row_url(events[0]) not in first
    second = text_of(admin_client, row_url(stream) + links(first)["Next"])
    assert row_url(events[0]) in second
    assert "Next" not in links(second)
    assert links(second)["First page"] == "?"


def test_page_of_a_stream_with_a_senseless_cursor_is_its_first(admin_client: Client) -> None:
    (stream,) = stored_streams(["Cart-cart-1"])
    (event,) = stored_events(1)
    assert row_url(event) in links(text_of(admin_client, f"{row_url(stream)}?after=x")).values()


def test_stream_and_snapshot_lead_to_each_other(admin_client: Client) -> None:
    (stream,) = stored_streams(["Cart-cart-1"])
    snapshot = stored_snapshot(snapshot_data={"items": ["<b>", 2**70]})
    stored_snapshot(aggregate_id="cart-2")
    html = text_of(admin_client, row_url(snapshot))
    assert links(html)["Stream"] == row_url(stream)
    assert "&quot;&lt;b&gt;&quot;" in html
    assert "1180591620717411303424" in html
    assert links(text_of(admin_client, row_url(stream)))["Snapshot at 3"] == row_url(snapshot)


def test_lists_of_streams_and_snapshots_lead_to_the_events(admin_client: Client) -> None:
    stored_streams(["Cart-a b"])
    stored_snapshot(aggregate_id="a b")
    for model in (AggregateVersion, Snapshot):
        found = links(text_of(admin_client, list_url(model)))
        assert found["show"] == list_url(Event, q='stream:"Cart-a b"')


def test_pages_need_no_inline_code_or_style(admin_client: Client) -> None:
    (stream,) = stored_streams(["Cart-cart-1"])
    stored_events(1)
    for url in (
        row_url(stream),
        row_url(stored_snapshot()),
        list_url(AggregateVersion),
        list_url(Snapshot),
    ):
        assert inline_code(text_of(admin_client, url)) == []


def test_empty_lists_say_so(admin_client: Client) -> None:
    assert "There are no events yet." in text_of(admin_client, list_url(Event))
    assert "There are no streams yet." in text_of(admin_client, list_url(AggregateVersion))
    html = text_of(admin_client, list_url(Snapshot, q="x"))
    assert "Nothing in this list meets these conditions." in html
    assert links(html)["Show all"] == "?"
