"""The rules of a user account. No database, no Django."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from events.aggregates import EventSourcedAggregate

from .events import UserDeactivated, UserLoggedIn, UserRegistered
from .exceptions import UserIsDeactivated


class User(EventSourcedAggregate):
    aggregate_type = "User"

    email: str | None = None
    name: str | None = None
    is_active: bool = False
    registration_date: datetime | None = None
    last_login_date: datetime | None = None

    @classmethod
    def register(cls, user_id: UUID, email: str, name: str) -> User:
        user = cls(user_id)
        user.add_event(UserRegistered(email=email, name=name, registration_date=_now()))
        return user

    def log_in(self) -> None:
        self._require_active()
        self.add_event(UserLoggedIn(login_date=_now()))

    def deactivate(self) -> None:
        self._require_active()
        self.add_event(UserDeactivated(deactivation_date=_now()))

    def _require_active(self) -> None:
        if not self.is_active:
            raise UserIsDeactivated(self.id)

    def apply_user_registered(self, event: UserRegistered) -> None:
        self.email = event.email
        self.name = event.name
        self.is_active = True
        self.registration_date = event.registration_date

    def apply_user_logged_in(self, event: UserLoggedIn) -> None:
        self.last_login_date = event.login_date

    def apply_user_deactivated(self, event: UserDeactivated) -> None:
        self.is_active = False


def _now() -> datetime:
    return datetime.now(UTC)
