"""What users' rules refuse. The codes are part of the API."""

from __future__ import annotations

from uuid import UUID

from events.exceptions import CommandRefused


class EmailTaken(CommandRefused):
    code = "email_taken"

    def __init__(self, email: str) -> None:
        super().__init__(f"Another user has the e-mail address {email}.", email=email)


class UserAlreadyRegistered(CommandRefused):
    code = "user_already_registered"

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"User {user_id} is registered already.", user_id=str(user_id))


class UserIsDeactivated(CommandRefused):
    code = "user_is_deactivated"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"User {user_id} is deactivated.", user_id=user_id)
