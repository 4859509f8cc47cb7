"""The guide's user: what may happen to one, and what not. No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from events.testing import given
from tests.users.people import ANN
from users.aggregate import User
from users.events import UserDeactivated, UserLoggedIn, UserRegistered
from users.exceptions import UserIsDeactivated

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = MOMENT + timedelta(days=1)

REGISTERED = UserRegistered(email="ann@example.org", name="Ann", registration_date=MOMENT)
LOGGED_IN = UserLoggedIn(login_date=LATER)
DEACTIVATED = UserDeactivated(deactivation_date=LATER)


@pytest.fixture(autouse=True)
def _the_day_after():
    with time_machine.travel(LATER, tick=False):
        yield


def test_a_user_registers_and_is_active():
    (
        given(User, str(ANN))
        .when(lambda _: User.register(ANN, "ann@example.org", "Ann"))
        .then(UserRegistered(email="ann@example.org", name="Ann", registration_date=LATER))
        .then_state(
            id=str(ANN),
            email="ann@example.org",
            name="Ann",
            is_active=True,
            registration_date=LATER,
            last_login_date=None,
        )
    )


def test_an_active_user_logs_in():
    (
        given(User, str(ANN), REGISTERED)
        .when(lambda user: user.log_in())
        .then(LOGGED_IN)
        .then_state(last_login_date=LATER, registration_date=MOMENT, is_active=True)
    )


def test_an_active_user_is_deactivated():
    (
        given(User, str(ANN), REGISTERED, LOGGED_IN)
        .when(lambda user: user.deactivate())
        .then(DEACTIVATED)
        .then_state(is_active=False, email="ann@example.org", last_login_date=LATER)
    )


def test_a_deactivated_user_cannot_log_in():
    (
        given(User, str(ANN), REGISTERED, DEACTIVATED)
        .when(lambda user: user.log_in())
        .then_refused(UserIsDeactivated, code="user_is_deactivated")
        .then_state(last_login_date=None)
    )


def test_a_deactivated_user_cannot_be_deactivated_again():
    (
        given(User, str(ANN), REGISTERED, DEACTIVATED)
        .when(lambda user: user.deactivate())
        .then_refused(UserIsDeactivated, code="user_is_deactivated")
    )


def test_the_refusal_names_the_user():
    outcome = given(User, str(ANN), REGISTERED, DEACTIVATED).when(lambda user: user.log_in())
    assert outcome.refusal is not None
    assert outcome.refusal.details == {"user_id": str(ANN)}
    assert str(ANN) in str(outcome.refusal)


def test_the_state_survives_a_snapshot():
    user = given(User, str(ANN), REGISTERED, LOGGED_IN).when(lambda user: None).aggregate
    copy = User(ANN)
    copy.restore(user.take_snapshot())
    for name in ("email", "name", "is_active", "registration_date", "last_login_date", "version"):
        assert getattr(copy, name) == getattr(user, name)
