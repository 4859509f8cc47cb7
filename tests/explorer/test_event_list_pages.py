"""Saved views, exports, following live, the catalogue, and what hosts add."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from events.explorer.extensions import Conversation, Extensions, Link, Panel
from events.explorer.paging import SCAN_BATCH
from events.models import AggregateVersion, Event, OperatorAction, SavedView
from events.recorded_event import RecordedEvent
from events.streams import StreamName
from tests.explorer.pages import inline_code, links, list_url, row_url, text_of
from tests.explorer.people import EMAIL, person, staff
from tests.explorer.rows import stored_event, stored_events, stored_streams
from users.models import RegisteredUser

VIEWER = ("view_event",)
SAVE = reverse("admin:events_event_save_view")
EXPORT = reverse("admin:events_event_export")


# --- saved views ---


def save(client: Client, name: str, query: str = "q=type%3Aa", **more: str) -> Any:
    return client.post(SAVE, {"name": name, "query": query, **more})


def test_saved_view_leads_back_to_its_list(db: None, client: Client) -> None:
    staff(client, *VIEWER, "add_savedview", "delete_savedview")
    stored_event()
    url = links(text_of(client, list_url(Event, q="type:tests.ItemAdded", after="9")))[
        "Save this view"
    ]
    html = text_of(client, url)
    assert "q=type%3Atests.ItemAdded" in html
    assert "For everybody" not in html
    save(client, "items", "q=type%3Atests.ItemAdded&after=9", is_shared="on")
    view = SavedView.objects.get()
    assert (view.query, view.is_shared) == ("q=type%3Atests.ItemAdded", False)
    assert links(text_of(client, list_url(Event)))["items"] == list_url(
        Event, q="type:tests.ItemAdded"
    )
    actions = OperatorAction.objects.values_list("action", "actor")
    assert list(actions) == [("save_view", "staff")]


def test_name_is_taken_once(db: None, client: Client) -> None:
    staff(client, *VIEWER, "add_savedview")
    save(client, "items")
    assert "you have a view of this name already" in save(client, "items").content.decode()
    assert SavedView.objects.count() == 1


def test_shared_view_is_for_everybody_and_for_nobody_else_to_delete(
    db: None, client: Client
) -> None:
    staff(client, *VIEWER, "add_savedview", "share_savedview", name="boss")
    save(client, "mine")
    save(client, "ours", is_shared="on")
    staff(client, *VIEWER, "add_savedview", "delete_savedview")
    around = links(text_of(client, list_url(Event)))
    assert "ours" in around
    assert "mine" not in around
    for view in SavedView.objects.all():
        url = reverse("admin:events_event_delete_view", kwargs={"key": view.pk})
        assert client.get(url).status_code == 405
        assert client.post(url).status_code == 403
    assert SavedView.objects.count() == 2


def test_own_view_is_deleted(db: None, client: Client) -> None:
    staff(client, *VIEWER, "add_savedview", "delete_savedview")
    save(client, "items")
    url = reverse("admin:events_event_delete_view", kwargs={"key": SavedView.objects.get().pk})
    client.post(url)
    assert not SavedView.objects.exists()
    assert client.post(url).status_code == 404
    assert OperatorAction.objects.filter(action="delete_view").exists()


def test_without_the_permission_no_view_is_saved(db: None, client: Client) -> None:
    staff(client, *VIEWER)
    assert "Save this view" not in links(text_of(client, list_url(Event)))
    assert client.get(SAVE).status_code == 403
    assert save(client, "items").status_code == 403
    assert not SavedView.objects.exists()


# --- exports ---


def lines_of(response: Any) -> list[dict[str, Any]]:
    text = b"".join(response.streaming_content).decode()
    return [json.loads(line) for line in text.splitlines()]


def export(client: Client, query: str = "", **more: str) -> Any:
    data = {"query": query, "file_format": "jsonl", "reason": "ticket 7"} | more
    return client.post(EXPORT, data)


def test_export_has_all_events_of_the_search_and_no_others(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.explorer.paging.SCAN_BATCH", 10)
    events = stored_events(25)
    stored_events(3, aggregate_id="cart-2", event_type="tests.ItemRemoved")
    url = links(text_of(admin_client, list_url(Event, type="tests.ItemAdded")))["Export"]
    assert "type=tests.ItemAdded" in text_of(admin_client, url)
    exported = lines_of(export(admin_client, "type=tests.ItemAdded"))
    assert [each["position"] for each in exported] == [event.position for event in reversed(events)]
    assert exported[0]["data"] == {"name": "pen", "quantity": 1}
    action = OperatorAction.objects.get()
    assert (action.action, action.reason) == ("export", "ticket 7")
    assert action.details["query"] == "type=tests.ItemAdded"
    assert SCAN_BATCH > 25, "otherwise nothing was read in batches"


def test_export_as_csv_has_one_row_an_event_and_no_formulas(admin_client: Client) -> None:
    stored_event(aggregate_id="=1+1")
    response = export(admin_client, file_format="csv")
    text = b"".join(response.streaming_content).decode()
    (row,) = csv.DictReader(StringIO(text))
    assert row["aggregateId"] == "'=1+1"
    assert json.loads(row["data"]) == {"name": "pen", "quantity": 1}
    assert response["Content-Type"] == "text/csv"


def test_export_hides_personal_data_unless_it_is_asked_for_by_those_who_may(
    db: None, client: Client
) -> None:
    person(1)
    staff(client, *VIEWER, "export_event")
    assert "With personal data" not in text_of(client, EXPORT)
    for more in ({}, {"with_personal": "on"}):
        (event,) = lines_of(export(client, **more))
        assert event["data"]["email"] == "•••"
        assert event["data"]["home"] == {"street": "•••", "city": "Turin"}
    staff(client, *VIEWER, "export_event", "reveal_event", name="boss")
    (event,) = lines_of(export(client, with_personal="on"))
    assert event["data"]["email"] == EMAIL
    assert OperatorAction.objects.filter(details__with_personal=True).get().actor == "boss"


def test_export_needs_a_permission_a_reason_and_a_search_that_can_be_done(
    db: None, client: Client
) -> None:
    stored_event()
    staff(client, *VIEWER)
    assert client.get(EXPORT).status_code == 403
    assert export(client).status_code == 403
    assert "Export" not in links(text_of(client, list_url(Event)))
    staff(client, *VIEWER, "export_event", name="boss")
    assert "This field is required." in export(client, reason="").content.decode()
    html = export(client, "q=data.number%3A7").content.decode()
    assert "the whole log is too much to look through" in html
    assert not OperatorAction.objects.exists()


# --- following live ---


def test_list_is_sent_again_only_when_its_first_row_is_another(admin_client: Client) -> None:
    first = stored_event()
    html = text_of(admin_client, list_url(Event))
    assert f'data-explorer-live="{first.position}"' in html
    headers = {"X-Explorer-Rows": str(first.position)}
    assert admin_client.get(list_url(Event), headers=headers).status_code == 304
    second = stored_event(sequence_number=1)
    response = admin_client.get(list_url(Event), headers=headers)
    assert f'data-explorer-live="{second.position}"' in response.content.decode()


def test_page_that_is_not_the_first_is_not_followed(admin_client: Client) -> None:
    stored_event()
    assert "data-explorer-live" not in text_of(admin_client, list_url(Event, after="99"))


# --- catalogue ---


def test_catalogue_has_the_types_of_the_code_and_of_the_log(admin_client: Client) -> None:
    stored_event(event_type="of.an.old.release")
    html = text_of(admin_client, reverse("admin:events_event_catalogue"))
    around = links(html)
    assert "UserRegistered" in around
    assert html.count("not in the code") == 1
    old = text_of(admin_client, around["of.an.old.release"])
    assert "Only the log knows this type" in old
    page = text_of(admin_client, around["tests.PersonJoined"])
    assert "rename_mail" in page
    assert "TestsPerson" in page
    assert '<td class="explorer-code">Home</td>' in page
    assert "users.welcome_email" in text_of(admin_client, around["UserRegistered"])
    for each in (html, old, page):
        assert inline_code(each) == []


@pytest.mark.parametrize("name", ["nothing", "a/b", "%00"])
def test_type_that_there_is_not_is_not_found(admin_client: Client, name: str) -> None:
    url = reverse("admin:events_event_catalogue")
    assert admin_client.get(f"{url}{name}/").status_code == 404


# --- what hosts add ---


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Extensions:
    extensions = Extensions()
    for module in ("event_details", "stream_details", "event_list_details", "trace.details"):
        monkeypatch.setattr(f"events.explorer.{module}.explorer", extensions)
    monkeypatch.setattr("events.admin.events.explorer", extensions)
    return extensions


def test_links_and_panels_of_a_host_are_shown(admin_client: Client, host: Extensions) -> None:
    @host.event_link
    def shop(request: HttpRequest, recorded: RecordedEvent) -> Link:
        return Link(f"Item {recorded.data['name']}", "/shop/")

    @host.stream_panel
    def notes(request: HttpRequest, stream: StreamName) -> Panel:
        return Panel(title="Notes", body=f"<b> of {stream}")

    @host.conversation_link
    def ticket(request: HttpRequest, conversation: Conversation) -> Link:
        return Link(f"Ticket {conversation.correlation_id}", "/tickets/")

    (stream,) = stored_streams(["Cart-cart-1"])
    event = stored_event(metadata={"correlation_id": "c-1"})
    around = links(text_of(admin_client, row_url(event)))
    assert around["Item pen"] == "/shop/"
    assert "&lt;b&gt; of Cart-cart-1" in text_of(admin_client, row_url(stream))
    assert "Ticket c-1" in links(text_of(admin_client, around["Trace"]))


def test_extension_that_fails_does_not_take_the_page_with_it(
    admin_client: Client, host: Extensions
) -> None:
    @host.event_link
    @host.event_panel
    def broken(request: HttpRequest, recorded: RecordedEvent) -> Link:
        raise ArithmeticError

    @host.event_column("Broken")
    def broken_column(recorded: RecordedEvent) -> str:
        raise ArithmeticError

    html = text_of(admin_client, row_url(stored_event()))
    assert "It could not be shown: ArithmeticError" in html
    assert "(ArithmeticError)" in text_of(admin_client, list_url(Event))


def test_column_of_a_host_reads_events_and_no_personal_data(
    admin_client: Client, host: Extensions, django_assert_max_num_queries: Any
) -> None:
    @host.event_column("Address")
    def address(recorded: RecordedEvent) -> str:
        return f"{recorded.data.get('email')} {recorded.data.get('plan')}"

    for number in range(10):
        person(number)
    with django_assert_max_num_queries(12):
        html = text_of(admin_client, list_url(Event))
    assert html.count("••• free") == 10


def test_object_of_a_host_has_a_button_to_its_events(db: None, client: Client) -> None:
    from events.command_bus import command_bus
    from events.identifiers import new_id
    from users.commands import RegisterUser

    user_id = new_id()
    command_bus.dispatch(RegisterUser(user_id=user_id, email="ada@example.com", name="Ada"))
    user = RegisteredUser.objects.get(pk=user_id)
    staff(client, "view_registereduser", "view_event", "view_aggregateversion")
    stream = AggregateVersion.objects.get(aggregate_id=str(user_id))
    assert f'<a href="{row_url(stream)}">Events</a>' in text_of(client, row_url(user))
    staff(client, "view_registereduser", "view_event", name="less")
    events = list_url(Event, q=f"stream:User-{user_id}")
    assert f'<a href="{events}">Events</a>' in text_of(client, row_url(user))
    staff(client, "view_registereduser", name="least")
    assert ">Events</a>" not in text_of(client, row_url(user))
