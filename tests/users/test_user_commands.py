"""Register, log in, deactivate: by commands, into the log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import transaction

from events.context import message_context
from events.exceptions import AggregateNotFound, CommandRefused, EncodingError, StaleVersion
from events.identifiers import new_id
from events.repository import Repository
from tests.users.people import ANN, BOB, deactivate, event_names, history, log_in, register
from users.aggregate import User
from users.commands import DeactivateUser, LogInUser, RegisterUser
from users.exceptions import UserAlreadyRegistered, UserIsDeactivated

pytestmark = pytest.mark.django_db


def test_a_life_of_a_user_is_three_kinds_of_events():
    register()
    log_in()
    log_in()
    deactivate()
    assert event_names() == ["UserRegistered", "UserLoggedIn", "UserLoggedIn", "UserDeactivated"]


def test_the_events_say_what_the_guides_say():
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False):
        register()
        log_in()
        deactivate()
    moment = "2026-03-01T12:00:00+00:00"
    assert [recorded.data for recorded in history()] == [
        {"email": "ann@example.org", "name": "Ann", "registration_date": moment},
        {"login_date": moment},
        {"deactivation_date": moment},
    ]
    assert {recorded.aggregate_type for recorded in history()} == {"User"}
    assert {recorded.event_version for recorded in history()} == {1}


def test_registering_answers_with_the_users_id():
    assert register().value == {"user_id": str(ANN)}


def test_a_user_gets_an_id_when_none_is_chosen():
    first, second = (RegisterUser(email="ann@example.org", name="Ann") for _ in range(2))
    assert first.user_id != second.user_id
    assert first.user_id.version == 7


def test_the_events_carry_the_conversation_and_who_asked():
    with message_context(correlation_id="c", user_id="operator"):
        result = register()
    [recorded] = history()
    assert recorded.metadata == {
        "correlation_id": "c",
        "causation_id": str(result.command_id),
        "user_id": "operator",
        "command_type": "RegisterUser",
    }


def test_an_id_is_registered_once():
    register()
    with pytest.raises(UserAlreadyRegistered) as caught:
        register(email="other@example.org")
    assert caught.value.code == "user_already_registered"
    assert caught.value.details == {"user_id": str(ANN)}
    assert event_names() == ["UserRegistered"]


def test_the_same_registration_without_a_command_id_is_refused():
    register()
    with pytest.raises(UserAlreadyRegistered):
        register()


def test_the_same_registration_with_its_command_id_is_answered_again():
    command_id = new_id()
    first, second = register(command_id=command_id), register(command_id=command_id)
    assert first.value == second.value
    assert second.replayed
    assert event_names() == ["UserRegistered"]


def test_a_refused_registration_leaves_its_address_free():
    register()
    with pytest.raises(UserAlreadyRegistered):
        register(email="bob@example.org")
    assert register(BOB, email="bob@example.org").value == {"user_id": str(BOB)}


@pytest.mark.parametrize("ask", [log_in, deactivate])
def test_who_is_not_registered_is_not_found(ask):
    with pytest.raises(AggregateNotFound, match=str(ANN)):
        ask()


@pytest.mark.parametrize("ask", [log_in, deactivate])
def test_a_deactivated_user_is_refused(ask):
    register()
    deactivate()
    with pytest.raises(UserIsDeactivated) as caught:
        ask()
    assert caught.value.code == "user_is_deactivated"
    assert event_names() == ["UserRegistered", "UserDeactivated"]


def test_a_refusal_leaves_the_transaction_around_it_usable():
    with transaction.atomic():
        register()
        with pytest.raises(CommandRefused):
            register(BOB)
        register(BOB, email="bob@example.org")
    assert event_names(BOB) == ["UserRegistered"]


def test_a_user_is_deactivated_only_as_the_caller_has_seen_them():
    register()
    log_in()
    with pytest.raises(StaleVersion):
        deactivate(expected_version=0)
    assert deactivate(expected_version=1).appended[0].version == 2


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ({"name": ""}, "RegisterUser.name: is shorter than 1"),
        ({"name": "x" * 151}, "RegisterUser.name: is longer than 150"),
        ({"name": None}, "RegisterUser.name: expected str, got NoneType None"),
        ({"name": "A\0nn"}, "RegisterUser.name: holds a NUL character"),
        ({"email": "a" * 255}, "RegisterUser.email: is longer than 254"),
        ({"email": "a@"}, "RegisterUser.email: is shorter than 3"),
        ({"user_id": str(ANN)}, "RegisterUser.user_id: expected UUID, got str"),
    ],
)
def test_a_registration_that_does_not_fit_is_refused_by_field(command, message):
    with pytest.raises(EncodingError) as caught:
        register(**command)
    assert str(caught.value).startswith(message)


def test_a_version_that_no_stream_can_have_is_refused():
    register()
    with pytest.raises(EncodingError, match=r"DeactivateUser\.expected_version: is less than 0"):
        deactivate(expected_version=-1)


def test_each_command_needs_a_permission_of_its_own():
    assert [command.permission for command in (RegisterUser, LogInUser, DeactivateUser)] == [
        "users.register_user",
        "users.log_in_user",
        "users.deactivate_user",
    ]


def test_a_user_with_a_long_history_is_loaded_from_a_snapshot_with_the_same_state():
    register()
    for _ in range(12):
        log_in()
    users = Repository(User)
    verification = users.verify_snapshot(ANN)
    assert verification is not None
    assert verification.matches
    assert verification.version == 9
    assert users.load(ANN).version == 12
