"""One function for each command: load, decide, save."""

from __future__ import annotations

from events.command_bus import handles
from events.repository import Repository

from . import email_addresses
from .aggregate import User
from .commands import DeactivateUser, LogInUser, RegisterUser
from .exceptions import UserAlreadyRegistered

users = Repository(User)


@handles(RegisterUser)
def register_user(command: RegisterUser) -> dict[str, str]:
    email = email_addresses.normalised(command.email)
    email_addresses.claim(email, command.user_id)
    if users.find(command.user_id) is not None:
        raise UserAlreadyRegistered(command.user_id)
    users.save(User.register(command.user_id, email, command.name))
    return {"user_id": str(command.user_id)}


@handles(LogInUser)
def log_in_user(command: LogInUser) -> None:
    user = users.load(command.user_id)
    user.log_in()
    users.save(user)


@handles(DeactivateUser)
def deactivate_user(command: DeactivateUser) -> None:
    user = users.load(command.user_id, expected_version=command.expected_version)
    user.deactivate()
    users.save(user)
