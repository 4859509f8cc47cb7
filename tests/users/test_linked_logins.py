"""Django's own log-in, for accounts that are linked to a user."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.urls import reverse

from events.store.configured import event_store
from tests.users.people import ANN, BOB, deactivate, event_names, history, register
from users.models import LinkedLogin

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def account(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a fast one
    return get_user_model().objects.create_superuser("ann", "ann@example.org", PASSWORD)


@pytest.fixture
def linked(account):
    register()
    LinkedLogin.objects.create(account=account, user_id=ANN)
    return account


def log_in_to_the_admin(client):
    return client.post(reverse("admin:login"), {"username": "ann", "password": PASSWORD})


def test_a_log_in_to_the_admin_becomes_an_event(client, linked):
    response = log_in_to_the_admin(client)
    assert response.status_code == 302
    assert event_names() == ["UserRegistered", "UserLoggedIn"]
    assert history()[1].metadata["command_type"] == "LogInUser"


def test_each_log_in_is_an_event_and_a_request_is_none(client, linked):
    for _ in range(2):
        client.login(username="ann", password=PASSWORD)
        client.get(reverse("admin:index"))
    assert event_names() == ["UserRegistered", "UserLoggedIn", "UserLoggedIn"]


def test_a_failed_log_in_is_no_event(client, linked):
    assert not client.login(username="ann", password="wrong")
    assert event_names() == ["UserRegistered"]


def test_an_account_without_a_link_logs_in_without_an_event(client, account):
    register()
    assert client.login(username="ann", password=PASSWORD)
    assert event_names() == ["UserRegistered"]


def test_the_events_of_a_request_belong_to_its_conversation(client, linked):
    client.post(
        reverse("admin:login"),
        {"username": "ann", "password": PASSWORD},
        headers={"X-Correlation-ID": "from-the-proxy"},
    )
    assert history()[1].metadata["correlation_id"] == "from-the-proxy"


def test_a_broken_link_locks_nobody_out(client, account):
    LinkedLogin.objects.create(account=account, user_id=BOB)
    assert log_in_to_the_admin(client).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200
    assert event_names(BOB) == []


def test_who_is_deactivated_cannot_log_in_any_more(client, linked):
    deactivate()
    linked.refresh_from_db()
    assert not linked.is_active
    assert not client.login(username="ann", password=PASSWORD)
    assert event_names() == ["UserRegistered", "UserDeactivated"]


def test_who_is_deactivated_is_logged_out(client, linked):
    client.login(username="ann", password=PASSWORD)
    assert client.get(reverse("admin:index")).status_code == 200
    deactivate()
    assert client.get(reverse("admin:index")).status_code == 302


def test_only_the_accounts_of_the_deactivated_user_are_closed(linked):
    other = get_user_model().objects.create_user("bob")
    register(BOB, email="bob@example.org")
    LinkedLogin.objects.create(account=other, user_id=BOB)
    deactivate(BOB)
    for each in (linked, other):
        each.refresh_from_db()
    assert (linked.is_active, other.is_active) == (True, False)


def test_an_account_that_is_linked_to_a_deactivated_user_cannot_log_in(client, account):
    register()
    deactivate()
    LinkedLogin.objects.create(account=account, user_id=ANN)
    assert not client.login(username="ann", password=PASSWORD)


def test_a_user_has_one_account_and_an_account_one_user(linked):
    other = get_user_model().objects.create_user("bob")
    with pytest.raises(IntegrityError):
        LinkedLogin.objects.create(account=other, user_id=ANN)


def test_a_link_goes_with_its_account_and_leaves_the_history(linked):
    linked.delete()
    assert not LinkedLogin.objects.exists()
    assert event_names() == ["UserRegistered"]


def test_no_password_and_no_hash_of_one_is_in_the_log(client, linked):
    log_in_to_the_admin(client)
    linked.set_password("another horse")
    linked.save()
    deactivate()
    linked.refresh_from_db()
    stored = [f"{recorded.data} {dict(recorded.metadata)}" for recorded in event_store().read_log()]
    assert len(stored) == 3
    for secret in (PASSWORD, "another horse", linked.password, linked.password.split("$")[-1]):
        assert not any(secret in text for text in stored)
