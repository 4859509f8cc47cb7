"""`manage.py demo`: a life made by real commands, and a comparison that notices differences."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from demo import scenario, shopping
from demo.management.commands import demo
from demo.people import people
from demo.tally import Tally
from events.command_bus import command_bus
from events.delivery.draining import drain
from events.store.configured import event_store
from sagas.clock import database_time
from sagas.timers import fire_timers
from tests.factories import cart, item_added
from users.commands import LogInUser
from users.models import LinkedLogin, RegisteredUser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def _debug(settings):
    settings.DEBUG = True


@pytest.fixture
def played(monkeypatch) -> Tally:
    """A short morning."""
    monkeypatch.setattr(scenario, "NUMBER_OF_PEOPLE", 16)
    drain()
    tally = Tally()
    scenario.ensure_operator(tally)
    scenario.play(tally, progress=lambda: None)
    drain()
    return tally


@pytest.fixture
def _drained(monkeypatch):
    """Without a cluster: it would look into another database, and the test commits nothing."""
    monkeypatch.setattr(demo, "running_cluster", nullcontext)
    monkeypatch.setattr(demo, "wait_until", run_until)
    one_of_each = tuple(replace(kind, number=1) for kind in shopping.KINDS)
    monkeypatch.setattr(shopping, "KINDS", one_of_each)


def run_until(condition):
    for days in range(30):
        drain()
        if condition():
            return True
        fire_timers(database_time() + timedelta(days=days))
    return False


@pytest.mark.usefixtures("_debug", "_drained")
def test_the_demo_ends_well_and_says_what_happened(capsys):
    call_command("demo", once=True)
    output = capsys.readouterr().out
    assert "All as expected" in output
    for word in (
        "RegisterUser",
        "LogInUser",
        "DeactivateUser",
        "UserRegistered events",
        "handled by",
    ):
        assert word in output
    assert RegisteredUser.objects.count() == scenario.NUMBER_OF_PEOPLE + 1


@pytest.mark.usefixtures("_debug", "_drained")
def test_the_demo_can_be_run_again_on_its_own_data(capsys):
    for _ in range(2):
        call_command("demo", once=True)
    assert capsys.readouterr().out.count("All as expected") == 2
    assert RegisteredUser.objects.count() == 2 * scenario.NUMBER_OF_PEOPLE + 1
    assert LinkedLogin.objects.count() == 1


def test_the_demo_refuses_to_make_its_operator_on_a_real_site(settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("demo", once=True)
    assert not get_user_model().objects.exists()


def test_what_happened_is_what_the_answers_said(played):
    assert scenario.differences(played) == []
    assert played.refused["RegisterUser"] > 0
    assert played.refused["LogInUser"] > 0
    assert played.replayed["RegisterUser"] > 0


def test_an_event_too_many_would_be_noticed(played):
    user = RegisteredUser.objects.filter(is_active=True).first()
    assert user is not None
    command_bus.dispatch(LogInUser(user_id=user.pk))
    [difference] = scenario.differences(played)
    assert difference.startswith("UserLoggedIn: ")


def test_an_event_that_no_command_explains_would_be_noticed(played):
    event_store().append(cart(), [item_added()])
    assert scenario.differences(played) == ["tests.ItemAdded: 0 expected, 1 in the log"]


def test_an_event_that_is_missing_would_be_noticed(played):
    played.done["DeactivateUser"] += 1
    [difference] = scenario.differences(played)
    assert difference.startswith("UserDeactivated: ")


def test_too_few_people_would_be_noticed(played, monkeypatch):
    monkeypatch.setattr(scenario, "NUMBER_OF_PEOPLE", 50)
    [difference] = scenario.differences(played)
    assert "could register" in difference


def test_the_operator_logs_in_with_the_password_that_is_shown(client, played):
    assert client.login(username=scenario.OPERATOR, password=scenario.PASSWORD)
    assert client.get("/admin/").status_code == 200


def test_an_operator_whose_link_is_gone_is_linked_to_the_same_user_again(played):
    [link] = LinkedLogin.objects.all()
    link.delete()
    scenario.ensure_operator(Tally())
    again = LinkedLogin.objects.get()
    assert RegisteredUser.objects.filter(pk=again.user_id).exists()


def test_people_are_never_the_same():
    everyone = people(300, after=0)
    assert len({email.lower() for _, email in everyone}) == 300
    assert everyone[100:] == people(200, after=100)
