"""Django's own accounts, where they are linked to a user: a log-in becomes a command, and who is
deactivated can't log in any more."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from events.command_bus import command_bus
from events.exceptions import EventsError
from events.recorded_event import RecordedEvent
from events.signals import events_appended

from .commands import LogInUser
from .events import UserDeactivated
from .models import LinkedLogin

logger = logging.getLogger(__name__)


@receiver(user_logged_in)
def record_login(sender: type, user: AbstractBaseUser, **kwargs: Any) -> None:
    link = LinkedLogin.objects.filter(account_id=user.pk).first()
    if link is None:
        return
    try:
        command_bus.dispatch(LogInUser(user_id=link.user_id))
    except EventsError:
        # A broken link must not lock anyone out of the admin in which it can be mended.
        logger.exception("The log-in of %s was not recorded for user %s", user, link.user_id)


@receiver(events_appended)
def close_linked_logins(
    sender: type, events: Sequence[RecordedEvent], using: str, **kwargs: Any
) -> None:
    deactivated = [
        recorded.aggregate_id
        for recorded in events
        if recorded.event_type == UserDeactivated.event_type
    ]
    if deactivated:
        get_user_model()._default_manager.using(using).filter(
            linked_login__user_id__in=deactivated
        ).update(is_active=False)
