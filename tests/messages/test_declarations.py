"""`@event` and `@command`: names and versions are written out, and mistakes are refused at once."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import pytest

from events.exceptions import DecodingError, RegistrationError, UnknownCommandType
from events.messages import Command, DomainEvent
from events.registry import command, event
from tests.factories import MOMENT

T = TypeVar("T")
ENVELOPE: dict[str, Any] = {"event_id": UUID(int=1), "occurred_on": MOMENT, "metadata": {}}

pytestmark = pytest.mark.usefixtures("event_types", "command_types")


def test_an_event_class_has_the_name_and_version_that_are_written_out(event_types):
    @event("tests.PriceChanged", version=3)
    class SomeOtherName(DomainEvent):
        price: int

    assert (SomeOtherName.event_type, SomeOtherName.event_version) == ("tests.PriceChanged", 3)
    assert event_types.find("tests.PriceChanged") is SomeOtherName
    assert list(event_types) == [SomeOtherName]


def test_an_event_class_without_a_version_is_at_its_first():
    @event("tests.PriceChanged")
    class PriceChanged(DomainEvent):
        pass

    assert PriceChanged.event_version == 1


def test_a_command_class_has_the_name_and_permission_that_are_written_out(command_types):
    @command("tests.ChangePrice", permission="shop.change_price")
    class SomeOtherName(Command):
        price: int

    assert SomeOtherName.command_type == "tests.ChangePrice"
    assert SomeOtherName.permission == "shop.change_price"
    assert command_types.get("tests.ChangePrice") is SomeOtherName


def test_an_unknown_command_type_is_named(command_types):
    with pytest.raises(UnknownCommandType, match=r"^No command is registered as tests\.Nothing\.$"):
        command_types.get("tests.Nothing")


def test_events_and_commands_are_frozen_and_take_keywords_only():
    @event("tests.PriceChanged")
    class PriceChanged(DomainEvent):
        price: int

    @command("tests.ChangePrice")
    class ChangePrice(Command):
        price: int

    for message_class in (PriceChanged, ChangePrice):
        message = message_class(price=1)
        with pytest.raises(dataclasses.FrozenInstanceError):
            message.price = 2
        # Frozen slots refuse it with TypeError on some versions of Python.
        with pytest.raises((AttributeError, TypeError)):
            message.other = 2
        with pytest.raises(TypeError, match="positional"):
            message_class(1)


@pytest.mark.parametrize(
    "name",
    ["", "Price Changed", "1Price", "Preis-Ä", "Preis\u00c4", "a\n", "a-b", ".a", "a.", "a..b"],
    ids=ascii,
)
def test_a_name_that_cannot_be_a_type_name_is_refused(name):
    with pytest.raises(
        RegistrationError, match=r"can't be a type name: use letters, digits, _ and"
    ):

        @event(name)
        class PriceChanged(DomainEvent):
            pass


def test_a_name_that_is_too_long_is_refused_with_its_limit():
    @event("x" * 100)
    class Longest(DomainEvent):
        pass

    with pytest.raises(RegistrationError, match="100"):

        @event("x" * 101)
        class TooLong(DomainEvent):
            pass


@pytest.mark.parametrize("decorate", [event, command])
def test_a_forgotten_name_is_refused(decorate):
    with pytest.raises(RegistrationError):

        @decorate
        class PriceChanged:
            pass


@pytest.mark.parametrize("version", [0, -1, "2", 1.5, True, None])
def test_a_version_that_is_not_a_positive_integer_is_refused(version):
    with pytest.raises(RegistrationError, match="version"):

        @event("tests.PriceChanged", version=version)
        class PriceChanged(DomainEvent):
            pass


def test_one_name_for_two_event_classes_is_refused_with_both():
    @event("tests.PriceChanged")
    class PriceChanged(DomainEvent):
        pass

    with pytest.raises(RegistrationError, match=r"tests\.PriceChanged .*PriceChanged.*PriceRaised"):

        @event("tests.PriceChanged")
        class PriceRaised(DomainEvent):
            pass


def test_a_class_that_is_declared_again_by_a_reload_replaces_itself(event_types):
    def declare():
        @event("tests.PriceChanged")
        class PriceChanged(DomainEvent):
            pass

        return PriceChanged

    declare()
    again = declare()
    assert event_types.find("tests.PriceChanged") is again


@pytest.mark.parametrize(
    "field", ["event_id", "occurred_on", "metadata", "event_type", "event_version"]
)
def test_an_event_field_named_like_one_that_every_event_has_is_refused_by_name(field):
    with pytest.raises(RegistrationError, match=rf"PriceChanged.*\b{field}\b"):
        event("tests.PriceChanged")(
            type("PriceChanged", (DomainEvent,), {"__annotations__": {field: str}})
        )


@pytest.mark.parametrize("field", ["command_type", "permission"])
def test_a_command_field_named_like_one_that_every_command_has_is_refused_by_name(field):
    with pytest.raises(RegistrationError, match=rf"ChangePrice.*\b{field}\b"):
        command("tests.ChangePrice")(
            type("ChangePrice", (Command,), {"__annotations__": {field: str}})
        )


@pytest.mark.parametrize(("decorate", "base"), [(event, "DomainEvent"), (command, "Command")])
def test_a_class_without_the_right_base_is_refused(decorate, base):
    with pytest.raises(RegistrationError, match=rf"PriceChanged.*\b{base}\b"):

        @decorate("tests.PriceChanged")
        class PriceChanged:
            price: int


def test_a_field_that_cannot_be_stored_is_refused_at_the_declaration(event_types):
    with pytest.raises(RegistrationError, match=r"PriceChanged\.photo: <class 'bytes'>"):

        @event("tests.PriceChanged")
        class PriceChanged(DomainEvent):
            photo: bytes

    assert event_types.find("tests.PriceChanged") is None


def test_a_generic_event_is_refused_because_its_parameter_is_not_stored():
    with pytest.raises(RegistrationError, match=r"PriceChanged\.price: ~T"):

        @event("tests.PriceChanged")
        class PriceChanged(DomainEvent, Generic[T]):
            price: T


def test_a_mutable_default_is_refused():
    with pytest.raises(ValueError, match="prices"):

        @event("tests.PricesChanged")
        class PricesChanged(DomainEvent):
            prices: list[int] = []


def test_an_annotation_that_names_something_inside_of_a_function_is_refused_by_field():
    class Currency(Enum):
        EUR = "EUR"

    with pytest.raises(RegistrationError, match=r"PriceChanged.*Currency"):

        @event("tests.PriceChanged")
        class PriceChanged(DomainEvent):
            currency: Currency


def test_class_variables_are_not_data(event_types):
    @event("tests.PriceChanged")
    class PriceChanged(DomainEvent):
        unit: ClassVar[str] = "cent"
        price: int

    assert event_types.encode(PriceChanged(price=1)) == {"price": 1}


# --- inheritance ---


def test_an_event_class_may_extend_another_under_its_own_name(event_types):
    @event("tests.PriceChanged")
    class PriceChanged(DomainEvent):
        price: int

    @event("tests.PriceLowered", version=2)
    class PriceLowered(PriceChanged):
        until: datetime | None = None

    assert event_types.encode(PriceLowered(price=1)) == {"price": 1, "until": None}
    assert event_types.encode(PriceChanged(price=1)) == {"price": 1}
    lowered = event_types.decode("tests.PriceLowered", 2, {"price": 1}, **ENVELOPE)
    assert (type(lowered), lowered) == (PriceLowered, PriceLowered(price=1))
    changed = event_types.decode("tests.PriceChanged", 1, {"price": 1}, **ENVELOPE)
    assert (type(changed), changed) == (PriceChanged, PriceChanged(price=1))
    assert (PriceChanged.event_type, PriceChanged.event_version) == ("tests.PriceChanged", 1)


def test_an_undecorated_subclass_is_refused_although_it_inherits_a_name(event_types):
    @event("tests.PriceChanged")
    class PriceChanged(DomainEvent):
        price: int

    class PriceLowered(PriceChanged):
        pass

    with pytest.raises(RegistrationError, match=r"PriceLowered.* is not registered: decorate it"):
        event_types.encode(PriceLowered(price=1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Priced:
    price: int = 0


def test_an_event_class_may_take_fields_from_another_dataclass(event_types):
    @event("tests.PriceChanged")
    class PriceChanged(Priced, DomainEvent):
        reason: str

    changed = PriceChanged(price=5, reason="sale")
    data = event_types.encode(changed)
    assert data == {"price": 5, "reason": "sale"}
    decoded = event_types.decode("tests.PriceChanged", 1, data, **ENVELOPE)
    assert decoded == changed
    assert decoded.event_id == UUID(int=1)


def test_a_field_may_be_declared_again_with_another_type(event_types):
    @event("tests.PriceChanged")
    class PriceChanged(DomainEvent):
        price: int
        reason: str = ""

    @event("tests.ExactPriceChanged")
    class ExactPriceChanged(PriceChanged):
        price: Decimal  # type: ignore[assignment]  # the point
        currency: str = "EUR"

    exact = ExactPriceChanged(price=Decimal("1.50"), reason="sale")
    data = event_types.encode(exact)
    assert data == {"price": "1.50", "reason": "sale", "currency": "EUR"}
    assert event_types.decode("tests.ExactPriceChanged", 1, data, **ENVELOPE) == exact


# --- an event's own __post_init__ ---


@pytest.fixture
def discounted(event_types):
    @event("tests.Discounted")
    class Discounted(DomainEvent):
        percent: int
        share: Decimal = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            if self.percent > 100:
                raise ValueError("percent: is more than 100")
            object.__setattr__(self, "share", Decimal(self.percent) / 100)

    return Discounted


def test_a_computed_field_is_not_stored_and_is_there_again(event_types, discounted):
    data = event_types.encode(discounted(percent=25))
    assert data == {"percent": 25}
    decoded = event_types.decode("tests.Discounted", 1, data, **ENVELOPE)
    assert decoded.share == Decimal("0.25")


def test_an_event_that_refuses_its_own_stored_data_is_named(event_types, discounted):
    with pytest.raises(DecodingError, match=r"^tests\.Discounted: .*is more than 100"):
        event_types.decode("tests.Discounted", 1, {"percent": 101}, **ENVELOPE)


def test_defaults_made_by_a_function_are_made_for_each_event(event_types):
    @event("tests.Noted")
    class Noted(DomainEvent):
        notes: list[str] = dataclasses.field(default_factory=list)

    first, second = (event_types.decode("tests.Noted", 1, {}, **ENVELOPE) for _ in range(2))
    first.notes.append("x")
    assert second.notes == []
