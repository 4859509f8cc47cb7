"""A small domain with personal data, for tests of what the explorer shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from django.contrib.auth.models import Permission, User
from django.test import Client

from events.aggregates import EventSourcedAggregate
from events.messages import DomainEvent
from events.models import AggregateVersion
from events.personal import Personal
from events.registry import event
from events.store.configured import event_store
from events.streams import StreamName
from events.upcasting import upcasts

EMAIL, CITY = "ada@example.com", "Turin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    street: Annotated[str, Personal()]
    city: str


@event("tests.PersonJoined", version=2)
class PersonJoined(DomainEvent):
    email: Annotated[str, Personal()]
    home: Home
    plan: str


@upcasts("tests.PersonJoined", from_version=1)
def rename_mail(data: dict[str, Any]) -> dict[str, Any]:
    data["email"] = data.pop("mail")
    return data


@event("tests.PlanChanged")
class PlanChanged(DomainEvent):
    plan: str


@event("tests.PersonBroken")
class PersonBroken(DomainEvent):
    pass


class Person(EventSourcedAggregate):
    aggregate_type: ClassVar[str] = "TestsPerson"

    contact: str | None = None  # another name than in the event
    city: str | None = None
    plan: str | None = None
    changes: int = 0

    def apply_person_joined(self, joined: PersonJoined) -> None:
        self.contact, self.city, self.plan = joined.email, joined.home.city, joined.plan

    def apply_plan_changed(self, changed: PlanChanged) -> None:
        self.plan = changed.plan
        self.changes += 1

    def apply_person_broken(self, broken: PersonBroken) -> None:
        raise ArithmeticError(f"{self.contact} can't be")


def joined(**overrides: Any) -> PersonJoined:
    values: dict[str, Any] = {
        "email": EMAIL,
        "home": Home(street="Via Po 1", city=CITY),
        "plan": "free",
    }
    return PersonJoined(**values | overrides)


def person(number: int, *later: DomainEvent) -> AggregateVersion:
    """The stream of one who joined."""
    stream = StreamName(Person.aggregate_type, f"person-{number}")
    event_store().append(stream, [joined(), *later])
    return AggregateVersion.objects.get(
        aggregate_type="TestsPerson", aggregate_id=f"person-{number}"
    )


def staff(client: Client, *permissions: str, name: str = "staff") -> Client:
    account = User.objects.create_user(name, is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(account)
    return client
