from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.http import Http404

from events.command_bus import handles
from events.exceptions import AggregateNotFound, CommandRefused, Unavailable
from events.messages import Command
from events.models import CommandRecord, Event
from events.registry import command
from events.store.configured import event_store
from events.streams import StreamName

from ..factories import item_added
from .conftest import Api


@pytest.fixture
def user_id(api: Api) -> str:
    body = {"email": "ann@example.com", "name": "Ann"}
    return api.send("register-user", body).json()["result"]["user_id"]


def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "instance"} <= set(body)
    return body


def test_a_stale_version_is_a_conflict_with_its_facts(api: Api, user_id: str):
    body = {"user_id": user_id, "expected_version": 3}

    found = problem(api.send("deactivate-user", body), 409)

    assert found["type"] == "urn:problem-type:edda:stale-version"
    assert found["stream"] == f"User-{user_id}"
    assert (found["expected"], found["actual"]) == (3, 0)
    assert found["instance"] == "/api/commands/deactivate-user"
    assert Event.objects.count() == 1


def test_a_lost_race_is_a_conflict_of_another_type(api: Api, own_registry: None, settings):
    settings.EVENTS = {"command_attempts": 1}

    @command("tests.Race")
    class Race(Command):
        pass

    @handles(Race)
    def race(command: Race) -> None:
        event_store().append(StreamName("Race", "1"), [item_added()], expected_version=4)

    found = problem(api.send("tests.race", {}), 409)

    assert found["type"] == "urn:problem-type:edda:concurrent-change"
    assert (found["stream"], found["expected"], found["actual"]) == ("Race-1", 4, -1)


def test_a_refusal_has_its_code_and_details(api: Api, user_id: str):
    body = {"email": "Ann@Example.com", "name": "Another Ann"}

    found = problem(api.send("register-user", body), 422)

    assert found["type"] == "urn:problem-type:edda:command-refused"
    assert found["code"] == "email_taken"
    assert found["details"] == {"email": "ann@example.com"}
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_refusal_is_recorded_where_the_host_puts_requests_into_transactions(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    body = {"email": "ann@example.com", "name": "Ann"}
    api.send("register-user", body)

    response = api.send("register-user", body, **{"Idempotency-Key": str(uuid4())})

    assert problem(response, 422)["code"] == "email_taken"
    assert CommandRecord.objects.count() == 1
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_other_systems_are_asked_outside_of_the_requests_transaction(
    api: Api, own_registry: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    @command("tests.Ask")
    class Ask(Command):
        pass

    @handles(Ask, ask=lambda command: connections["default"].in_atomic_block)
    def hear(command: Ask, was_in_transaction: bool) -> bool:
        return was_in_transaction

    assert api.send("tests.ask", {}).json()["result"] is False


def test_a_missing_aggregate_is_not_found(api: Api):
    user_id = str(uuid4())

    found = problem(api.send("log-in-user", {"user_id": user_id}), 404)

    assert found["detail"] == f"User-{user_id} has no events."


def test_an_unknown_command_is_not_found(api: Api):
    found = problem(api.send("fly-to-the-moon", {}), 404)

    assert found["type"] == "about:blank"
    assert found["title"] == "Not Found"
    assert "fly-to-the-moon" in found["detail"]


def test_a_command_without_handler_is_the_servers_fault_and_logged(
    api: Api, own_registry: None, caplog: pytest.LogCaptureFixture
):
    @command("tests.Orphan")
    class Orphan(Command):
        pass

    found = problem(api.send("tests.orphan", {}), 500)

    assert "@handles" not in found["detail"]
    assert [record.name for record in caplog.records if record.exc_info] == ["events.api.problems"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Http404("no such shop"), 404),
        (PermissionDenied("not yours"), 403),
        (AggregateNotFound(StreamName("Shop", "1")), 404),
        (CommandRefused("no"), 422),
    ],
    ids=str,
)
def test_what_a_handler_may_raise_becomes_a_problem(
    api: Api, own_registry: None, error: Exception, status: int
):
    @command("tests.Raise")
    class Raise(Command):
        pass

    @handles(Raise)
    def raise_(command: Raise) -> None:
        raise error

    assert str(error) in problem(api.send("tests.raise", {}), status)["detail"]


def test_a_problem_carries_the_correlation_id(api: Api):
    response = api.send("fly-to-the-moon", {}, **{"X-Correlation-ID": "talk-1"})

    assert problem(response, 404)["correlation_id"] == "talk-1"


def test_a_wrong_method_says_what_is_allowed(api: Api):
    response = api.client.delete("/api/commands/register-user")

    problem(response, 405)
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_an_unknown_media_type_is_refused(api: Api):
    path = "/api/commands/tests.place-order"

    problem(api.client.post(path, "<a/>", content_type="text/xml"), 415)
    problem(api.client.post(path, {"address": "form"}), 415)
    problem(api.get("/api/commands", Accept="image/png"), 406)


def test_another_system_that_gives_no_answer_is_no_error_of_this_one(api: Api, own_registry: None):
    @command("tests.Call")
    class Call(Command):
        pass

    @handles(Call)
    def call(command: Call) -> None:
        raise Unavailable("The exchange gave no answer.")

    found = problem(api.send("tests.call", {}), 503)

    assert found["detail"] == "The exchange gave no answer. Send the same again later."
