"""A morning of the example: people register, log in, leave; some ask for what can't be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from django.contrib.auth import get_user_model

from events.identifiers import new_id
from events.registry import event_types
from users.commands import DeactivateUser, LogInUser, RegisterUser
from users.models import LinkedLogin, RegisteredUser

from .people import people
from .tally import Tally

NUMBER_OF_PEOPLE = 120
#: Subscriptions.
FOLLOWING_REGISTRATIONS = ("users.profile", "users.welcome_email")
OPERATOR, PASSWORD = "operator", "operator"
OPERATOR_EMAIL = "operator@example.org"

#: The events that a done command leaves, one each.
EVENT_OF_COMMAND = {
    "RegisterUser": "UserRegistered",
    "LogInUser": "UserLoggedIn",
    "DeactivateUser": "UserDeactivated",
}


def play(tally: Tally, progress: Callable[[], None]) -> None:
    """Calls `progress` once for each person."""
    for number, (name, email) in enumerate(
        people(NUMBER_OF_PEOPLE, after=RegisteredUser.objects.count())
    ):
        _live(tally, number, name, email)
        progress()


def _live(tally: Tally, number: int, name: str, email: str) -> None:
    command_id = new_id()
    register = RegisterUser(name=name, email=email)
    registered = tally.dispatch(register, command_id=command_id)
    if registered is None:
        return
    user_id = UUID(registered.value["user_id"])
    for _ in range(number % 4):
        tally.dispatch(LogInUser(user_id=user_id))
    if number % 10 == 0:  # an impatient click: the same command twice
        tally.dispatch(register, command_id=command_id)
    if number % 12 == 0:  # somebody else with the same address
        tally.dispatch(RegisterUser(name=f"Not {name}", email=email.upper()))
    if number % 15 == 0:
        tally.dispatch(DeactivateUser(user_id=user_id))
        tally.dispatch(LogInUser(user_id=user_id))


def differences(tally: Tally) -> list[str]:
    """What isn't as the commands' answers say; empty when all is well."""
    expected = {
        event_type: tally.done[command_type]
        for command_type, event_type in EVENT_OF_COMMAND.items()
    }
    actual = Counter({k: v for k, v in tally.events().items() if k not in _types_of_the_shop()})
    found = [
        f"{event_type}: {expected.get(event_type, 0)} expected, {actual[event_type]} in the log"
        for event_type in expected.keys() | actual.keys()
        if expected.get(event_type, 0) != actual[event_type]
    ]
    if tally.done["RegisterUser"] < NUMBER_OF_PEOPLE:
        found.append(f"only {tally.done['RegisterUser']} of {NUMBER_OF_PEOPLE} could register")
    for subscription in FOLLOWING_REGISTRATIONS:
        number = tally.handled()[subscription]
        if number != tally.done["RegisterUser"]:
            found.append(f"{subscription} has handled {number} registrations")
    if not tally.refused or not tally.replayed:
        found.append("nothing was refused, or nothing was answered from its record")
    return found


def _types_of_the_shop() -> set[str]:
    """`shopping` has its own comparison."""
    return {cls.event_type for cls in event_types if cls.__module__.startswith(("orders", "sagas"))}


def ensure_operator(tally: Tally) -> None:
    """A superuser for the admin, linked to a user of the shop: logging in leaves an event."""
    account, _ = get_user_model().objects.update_or_create(
        username=OPERATOR, defaults={"is_staff": True, "is_superuser": True, "is_active": True}
    )
    account.set_password(PASSWORD)
    account.save()
    if LinkedLogin.objects.filter(account=account).exists():
        return
    user = RegisteredUser.objects.filter(email=OPERATOR_EMAIL).first()
    user_id = user.user_id if user else new_id()
    if user is None:
        tally.dispatch(RegisterUser(user_id=user_id, name="Operator", email=OPERATOR_EMAIL))
    LinkedLogin.objects.create(account=account, user_id=user_id)
