"""The read model of users, written in the transaction that appends their events."""

from __future__ import annotations

from events.bus.subscription import Delivery
from events.projections import Projection, projects
from events.recorded_event import RecordedEvent

from .events import UserDeactivated, UserLoggedIn, UserRegistered
from .models import RegisteredUser


@projects(
    "User.*",
    name="users.registered_users",
    models=[RegisteredUser],
    # Whoever has just registered finds the row: the admin and the log-in ask for it.
    delivery=Delivery.INLINE,
)
class RegisteredUsers(Projection):
    def project(self, recorded: RecordedEvent) -> None:
        rows = self.rows(RegisteredUser)
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
