from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from events.command_bus import handles
from events.exceptions import RegistrationError
from events.messages import Command
from events.registry import command
from events.store.base import EventStore
from events.streams import StreamName

from .conftest import Api, basic
from .ordering import FORMS, PlaceOrder

ANN = {"email": "ann@example.com", "name": "Ann"}


def only_event(store: EventStore, stream: StreamName) -> Any:
    (recorded,) = store.read_stream(stream)
    return recorded.event


def test_a_command_answers_with_its_result_and_what_it_appended(api: Api):
    response = api.send("register-user", ANN)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    answer = response.json()
    user_id = answer["result"]["user_id"]
    assert set(answer) == {"command_id", "result", "appended", "correlation_id"}
    assert [append["stream"] for append in answer["appended"]] == [f"User-{user_id}"]
    assert answer["appended"][0]["version"] == 0
    (event,) = api.events(f"User-{user_id}")
    assert answer["appended"][0]["positions"] == [event["position"]]
    assert UUID(answer["command_id"]) == UUID(event["metadata"]["causationId"])
    assert "Idempotency-Replayed" not in response


def test_a_user_registers_logs_in_and_is_deactivated(api: Api):
    user_id = str(uuid4())
    for slug, body in [
        ("register-user", {**ANN, "user_id": user_id}),
        ("log-in-user", {"user_id": user_id}),
        ("deactivate-user", {"user_id": user_id, "expected_version": 1}),
    ]:
        assert api.send(slug, body).status_code == 200

    assert [event["eventType"] for event in api.events(f"User-{user_id}")] == [
        "UserRegistered",
        "UserLoggedIn",
        "UserDeactivated",
    ]


def test_a_command_without_events_appends_nothing(api: Api, own_registry: None):
    @command("tests.Ponder")
    class Ponder(Command):
        pass

    handles(Ponder)(lambda ponder: None)

    answer = api.send("tests.ponder", {}).json()

    assert answer["appended"] == []
    assert answer["result"] is None


def test_a_command_registered_later_needs_no_view(api: Api, own_registry: None):
    assert api.send("tests.book-HTTP-room", {"room": 1}).status_code == 404

    @command("tests.BookHTTPRoom")
    class BookRoom(Command):
        room: int

    @handles(BookRoom)
    def book_room(command: BookRoom) -> int:
        return command.room

    assert api.send("tests.book-http-room", {"room": 12}).json()["result"] == 12


def test_two_commands_with_the_same_url_are_never_taken_for_each_other(
    api: Api, own_registry: None
):
    for name in ["tests.PingHTTP", "tests.PingHttp"]:
        command(name)(type("Ping", (Command,), {"__annotations__": {}, "__qualname__": name}))

    with pytest.raises(RegistrationError):
        api.send("tests.ping-http", {})


def test_nested_values_reach_the_handler_with_their_types(api: Api, store: EventStore):
    response = api.send(
        "tests.place-order",
        {
            "lines": [{"sku": "pen", "price": "1.50"}, {"sku": "ink", "price": 12, "quantity": 2}],
            "address": {"country": "IS", "street": "Laugavegur 1"},
            "rates": {"EUR": "0.1000000000000000055511151231257827"},
            "position": [64.1, -21],
            "tags": ["a", "b"],
            "extra": {"any": ["thing", 1, 2.5, None, True]},
        },
    )

    assert response.status_code == 200, response.content
    stream = StreamName("Order", response.json()["result"]["order_id"])
    order = only_event(store, stream).order
    assert isinstance(order, PlaceOrder)
    assert [(line.sku, str(line.price), line.quantity) for line in order.lines] == [
        ("pen", "1.50", 1),
        ("ink", "12", 2),
    ]
    assert str(order.rates["EUR"]) == "0.1000000000000000055511151231257827"
    assert order.position == (64.1, -21.0)
    assert order.tags == ("a", "b")
    assert order.extra == {"any": ["thing", 1, 2.5, None, True]}


def test_a_decimal_sent_as_a_number_keeps_every_digit(api: Api, store: EventStore):
    body = '{"text": "abc", "price": 123456789012345678.10}'

    assert api.send("tests.fill-form", body).status_code == 200

    assert str(only_event(store, FORMS).form.price) == "123456789012345678.10"


def test_a_moment_keeps_its_offset(api: Api, store: EventStore):
    body = {"text": "abc", "moment": "2026-03-01T12:00:00+05:30", "clock": "10:00:00+02:00"}

    assert api.send("tests.fill-form", body).status_code == 200

    (recorded,) = store.read_stream(FORMS)
    assert recorded.data["form"]["moment"] == "2026-03-01T12:00:00+05:30"
    assert recorded.data["form"]["clock"] == "10:00:00+02:00"


def test_text_is_stored_as_it_was_sent(api: Api, store: EventStore):
    assert api.send("tests.fill-form", {"text": "  \u00e9\U0001f600 "}).status_code == 200

    assert only_event(store, FORMS).form.text == "  \u00e9\U0001f600 "


def test_numbers_inside_of_free_json_are_plain_ones(api: Api, own_registry: None):
    given = []

    @command("tests.Note")
    class Note(Command):
        anything: Any

    handles(Note)(lambda note: given.append(note.anything))

    assert api.send("tests.note", '{"anything": [{"a": 1.50}, 2]}').status_code == 200
    assert given == [[{"a": 1.5}, 2]]
    assert type(given[0][0]["a"]) is float


def test_events_carry_the_correlation_id_of_the_request_and_its_user(api: Api, superuser):
    response = api.send("register-user", ANN, **{"X-Correlation-ID": "talk-1"})

    (event,) = api.events(response.json()["appended"][0]["stream"])
    assert response.json()["correlation_id"] == "talk-1"
    assert event["metadata"]["correlationId"] == "talk-1"
    assert event["metadata"]["userId"] == str(superuser.pk)


def test_the_user_of_basic_authentication_is_in_the_metadata(nobody: Api, api: Api, clerk):
    response = nobody.send("register-user", ANN, Authorization=basic("grace"))

    (event,) = api.events(response.json()["appended"][0]["stream"])
    assert event["metadata"]["userId"] == str(clerk.pk)


def test_without_the_middleware_the_command_starts_the_conversation(api: Api, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "events" not in name]

    answer = api.send("register-user", ANN).json()

    (event,) = api.events(answer["appended"][0]["stream"])
    assert answer["correlation_id"] == answer["command_id"] == event["metadata"]["correlationId"]


def test_an_unexpected_error_is_left_to_django(api: Api, own_registry: None):
    @command("tests.Break")
    class Break(Command):
        pass

    @handles(Break)
    def break_(command: Break) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        api.send("tests.break", {})
