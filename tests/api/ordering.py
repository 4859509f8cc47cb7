"""Commands with every kind of field, whose handlers store what they were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from events.command_bus import handles
from events.exceptions import InvalidInput
from events.identifiers import new_id
from events.limits import Limits
from events.messages import Command, DomainEvent
from events.registry import command, event
from events.store.configured import event_store
from events.streams import StreamName


class Size(Enum):
    SMALL = "S"
    LARGE = "L"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    sku: Annotated[str, Limits(min_length=1, max_length=20)]
    price: Annotated[Decimal, Limits(min_value=0, decimal_places=2)]
    quantity: Annotated[int, Limits(min_value=1, max_value=99)] = 1

    def __post_init__(self) -> None:
        if self.sku == "cursed":
            raise ValueError("nobody may order this")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    country: Literal["DE", "IS"]
    street: str

    def __post_init__(self) -> None:
        if self.street == "nowhere":
            raise InvalidInput("street", "doesn't exist")


@command("tests.PlaceOrder", permission="users.register_user")
class PlaceOrder(Command):
    """Orders goods.

    To one address.
    """

    lines: Annotated[list[Line], Limits(min_length=1, max_length=3)]
    address: Address
    order_id: UUID = field(default_factory=new_id)
    rates: Annotated[dict[str, Decimal], Limits(max_length=2)] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    position: tuple[float, float] | None = None
    tags: tuple[str, ...] = ()
    extra: Any = None


@command("tests.FillForm")
class FillForm(Command):
    text: Annotated[str, Limits(min_length=2, max_length=10)] = field(
        metadata={"help_text": "Two to ten characters."}
    )
    number: int = 7
    share: float = 0.5
    price: Decimal = Decimal("1.00")
    agreed: bool = False
    size: Size = Size.SMALL
    grade: Literal[1, 2] = 1
    discount: Decimal | None = None
    moment: datetime | None = None
    day: date | None = None
    clock: time | None = None
    reference: UUID | None = None
    note: str | None = None


@event("tests.OrderPlaced")
class OrderPlaced(DomainEvent):
    order: PlaceOrder


@event("tests.FormFilled")
class FormFilled(DomainEvent):
    form: FillForm


@handles(PlaceOrder)
def place_order(command: PlaceOrder) -> dict[str, str]:
    stream = StreamName("Order", command.order_id)
    event_store().append(stream, [OrderPlaced(order=command)])
    return {"order_id": str(command.order_id)}


@handles(FillForm)
def fill_form(command: FillForm) -> None:
    event_store().append(FORMS, [FormFilled(form=command)])


FORMS = StreamName("Form", "all")
