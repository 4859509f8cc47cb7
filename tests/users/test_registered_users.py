"""The read model: one row a user, in the same commit as the events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from events.exceptions import CommandRefused
from events.messages import DomainEvent
from events.registry import event
from events.store.configured import event_store
from events.streams import StreamName
from tests.factories import cart, item_added
from tests.users.people import ANN, BOB, deactivate, log_in, register
from users.events import UserLoggedIn, UserRegistered
from users.models import RegisteredUser

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@event("tests.UserPraised")
class UserPraised(DomainEvent):
    """Something else that happens to a user, and that the read model doesn't show."""


def at(hours: int):
    return time_machine.travel(MOMENT + timedelta(hours=hours), tick=False)


def row(user_id=ANN):
    return RegisteredUser.objects.values().get(pk=user_id)


def test_a_row_shows_what_became_of_a_user():
    with at(0):
        register(email="Ann@example.org")
    expected = {
        "user_id": ANN,
        "email": "ann@example.org",
        "name": "Ann",
        "is_active": True,
        "registration_date": MOMENT,
        "last_login_date": None,
        "deactivation_date": None,
    }
    assert row() == expected
    for hours in (1, 2):
        with at(hours):
            log_in()
    expected["last_login_date"] = MOMENT + timedelta(hours=2)
    assert row() == expected
    with at(3):
        deactivate()
    expected |= {"is_active": False, "deactivation_date": MOMENT + timedelta(hours=3)}
    assert row() == expected
    assert str(RegisteredUser.objects.get()) == "Ann <ann@example.org>"


def test_each_user_has_a_row_of_their_own():
    register()
    register(BOB, email="bob@example.org", name="Bob")
    deactivate(BOB)
    assert (row(ANN)["is_active"], row(BOB)["is_active"]) == (True, False)


def test_what_was_refused_is_not_shown():
    register()
    with pytest.raises(CommandRefused):
        register(BOB)
    assert RegisteredUser.objects.count() == 1


def test_what_was_rolled_back_is_not_shown():
    with transaction.atomic():
        register()
        assert RegisteredUser.objects.exists()
        transaction.set_rollback(True)
    assert not RegisteredUser.objects.exists()


def test_several_events_of_one_append_are_shown_in_their_order():
    event_store().append(
        StreamName("User", ANN),
        [
            UserRegistered(email="ann@example.org", name="Ann", registration_date=MOMENT),
            UserLoggedIn(login_date=MOMENT + timedelta(hours=1)),
            UserLoggedIn(login_date=MOMENT + timedelta(hours=2)),
        ],
    )
    assert row()["last_login_date"] == MOMENT + timedelta(hours=2)


def test_other_events_and_other_streams_are_none_of_its_business():
    register()
    before = row()
    event_store().append(StreamName("User", ANN), [UserPraised()])
    event_store().append(cart(), [item_added()])
    assert row() == before
    assert RegisteredUser.objects.count() == 1


def test_an_append_that_is_repeated_changes_nothing():
    registered = UserRegistered(email="ann@example.org", name="Ann", registration_date=MOMENT)
    for _ in range(2):
        event_store().append(StreamName("User", ANN), [registered])
    assert RegisteredUser.objects.count() == 1
