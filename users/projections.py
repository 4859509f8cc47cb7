"""The read model of users, written in the transaction that appends their events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from events.recorded_event import RecordedEvent
from events.signals import events_appended

from .aggregate import User
from .events import UserDeactivated, UserLoggedIn, UserRegistered
from .models import RegisteredUser


@receiver(events_appended)
def update_registered_users(
    sender: type, events: Sequence[RecordedEvent], using: str, **kwargs: Any
) -> None:
    for recorded in events:
        if recorded.aggregate_type == User.aggregate_type:
            _project(recorded, using)


def _project(recorded: RecordedEvent, using: str) -> None:
    rows = RegisteredUser.objects.using(using)
    row = rows.filter(pk=recorded.aggregate_id)
    match recorded.event:
        case UserRegistered() as event:
            rows.create(
                user_id=recorded.aggregate_id,
                email=event.email,
                name=event.name,
                is_active=True,
                registration_date=event.registration_date,
            )
        case UserLoggedIn() as event:
            row.update(last_login_date=event.login_date)
        case UserDeactivated() as event:
            row.update(is_active=False, deactivation_date=event.deactivation_date)
