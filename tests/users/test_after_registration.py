"""A registration is followed by a welcome by mail and a profile, each exactly once."""

from __future__ import annotations

import pytest
from django.core import mail

from events.command_bus import command_bus
from events.delivery.draining import drain
from events.models import FailedEvent
from users.commands import LogInUser, RegisterUser
from users.models import UserProfile

pytestmark = pytest.mark.django_db


def register(name="Ann", email="Ann@Example.org"):
    drain()
    command = RegisterUser(name=name, email=email)
    command_bus.dispatch(command)
    return command.user_id


def test_a_new_user_is_welcomed_by_mail():
    user_id = register()
    command_bus.dispatch(LogInUser(user_id=user_id))

    drain()
    drain()

    [message] = mail.outbox
    assert message.to == ["ann@example.org"]
    assert "Ann" in message.subject
    assert message.extra_headers["Message-ID"].startswith("<users.welcome_email:")


def test_users_from_before_it_was_deployed_are_not_welcomed():
    command_bus.dispatch(RegisterUser(name="Old", email="old@example.org"))
    drain()

    assert mail.outbox == []
    assert UserProfile.objects.count() == 1


def test_a_new_user_gets_a_profile():
    user_id = register(name="Bob")

    drain()

    profile = UserProfile.objects.get()
    assert (profile.user_id, profile.display_name) == (user_id, "Bob")


def test_mail_that_cannot_be_sent_is_tried_again_with_the_same_id(monkeypatch):
    register()
    sent = []

    def refuse(message, **kwargs):
        sent.append(message.extra_headers["Message-ID"])
        if len(sent) < 3:
            raise ConnectionRefusedError

    monkeypatch.setattr("users.subscribers.EmailMessage.send", refuse)

    drain(retries=True, raise_errors=False)

    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert not FailedEvent.objects.exists()
    assert UserProfile.objects.count() == 1


def test_after_three_retries_it_is_a_dead_letter(monkeypatch):
    register()

    def refuse(message, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("users.subscribers.EmailMessage.send", refuse)

    tally = drain(retries=True, raise_errors=False)

    assert (tally.failed, tally.dead_letters) == (4, 1)
