"""What follows from a registration, in a worker: a welcome by mail, and a profile."""

from __future__ import annotations

from typing import cast

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from events.bus.retry import RetryPolicy
from events.bus.subscription import Effects, Start, subscribes_to
from events.conf import events_settings
from events.delivery.context import current_delivery
from events.recorded_event import RecordedEvent

from .events import UserRegistered
from .models import UserProfile


@subscribes_to(
    UserRegistered,
    name="users.welcome_email",
    priority=10,
    effects=Effects.EXTERNAL,
    retry=RetryPolicy(attempts=4, first_delay_seconds=30, factor=4, max_delay_seconds=3600),
    # Nobody is welcomed years later, when this is deployed to a log with users in it.
    start=Start.NOW,
)
def send_welcome_email(recorded: RecordedEvent) -> None:
    """Three retries. The message id is the same in each, so that a mail that is sent twice, because
    the worker died before it could note the first, is shown once by most readers of mail."""
    user = cast("UserRegistered", recorded.event)
    EmailMessage(
        subject=_("Welcome, %(name)s") % {"name": user.name},
        body=_("You are registered as %(email)s.") % {"email": user.email},
        to=[user.email],
        headers={"Message-ID": f"<{current_delivery().idempotency_key}@edda.example>"},
    ).send()


@subscribes_to(UserRegistered, name="users.profile", priority=5)
def create_profile(recorded: RecordedEvent) -> None:
    user = cast("UserRegistered", recorded.event)
    UserProfile.objects.using(events_settings().database).create(
        user_id=recorded.aggregate_id,
        display_name=user.name,
        created_at=recorded.occurred_on,
    )
