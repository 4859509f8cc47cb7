"""What may be asked of users."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated
from uuid import UUID

from events.identifiers import new_id
from events.limits import Limits
from events.messages import Command
from events.registry import command


@command("RegisterUser", permission="users.register_user")
class RegisterUser(Command):
    """Opens an account. No two users have the same e-mail address, deactivated ones included."""

    email: Annotated[str, Limits(min_length=3, max_length=254)]
    name: Annotated[str, Limits(min_length=1, max_length=150)]
    user_id: UUID = field(default_factory=new_id)


@command("LogInUser", permission="users.log_in_user")
class LogInUser(Command):
    """Records a log-in of an active user."""

    user_id: UUID


@command("DeactivateUser", permission="users.deactivate_user")
class DeactivateUser(Command):
    """Closes an account for good. With `expected_version` only if nothing else happened since."""

    user_id: UUID
    expected_version: Annotated[int, Limits(min_value=0)] | None = None
