"""What happened to a user. No password and no hash of one is ever in an event."""

from __future__ import annotations

from datetime import datetime

from events.messages import DomainEvent
from events.registry import event


@event("UserRegistered")
class UserRegistered(DomainEvent):
    #: Normalised; see `email_addresses`.
    email: str
    name: str
    registration_date: datetime


@event("UserLoggedIn")
class UserLoggedIn(DomainEvent):
    login_date: datetime


@event("UserDeactivated")
class UserDeactivated(DomainEvent):
    deactivation_date: datetime
