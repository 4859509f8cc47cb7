"""What happened to a user. No password and no hash of one is ever in an event."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from events.messages import DomainEvent
from events.personal import Personal
from events.registry import event


@event("UserRegistered")
class UserRegistered(DomainEvent):
    #: Normalised; see `email_addresses`.
    email: Annotated[str, Personal()]
    name: Annotated[str, Personal()]
    registration_date: datetime


@event("UserLoggedIn")
class UserLoggedIn(DomainEvent):
    login_date: datetime


@event("UserDeactivated")
class UserDeactivated(DomainEvent):
    deactivation_date: datetime
