"""Events and commands for the tests of the reusable apps. Keyword overrides, fixed defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from events.messages import DomainEvent
from events.registry import event
from events.store.history import PastEvent
from events.streams import StreamName

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@event("tests.ItemAdded")
class ItemAdded(DomainEvent):
    name: str
    quantity: int


@event("tests.ItemRemoved")
class ItemRemoved(DomainEvent):
    name: str


@event("tests.Measured")
class Measured(DomainEvent):
    """Holds any JSON value."""

    reading: Any


def item_added(**overrides: Any) -> ItemAdded:
    values: dict[str, Any] = {"name": "pen", "quantity": 1, "occurred_on": MOMENT}
    return ItemAdded(**values | overrides)


def item_removed(**overrides: Any) -> ItemRemoved:
    values: dict[str, Any] = {"name": "pen", "occurred_on": MOMENT}
    return ItemRemoved(**values | overrides)


def items(count: int) -> list[ItemAdded]:
    return [item_added(name=f"item {number}") for number in range(count)]


def measured(reading: Any, **overrides: Any) -> Measured:
    values: dict[str, Any] = {"reading": reading, "occurred_on": MOMENT}
    return Measured(**values | overrides)


def cart(number: int | str = 1) -> StreamName:
    return StreamName("Cart", f"cart-{number}")


def past(number: int, **overrides: Any) -> PastEvent:
    """An event from elsewhere, of a type that has no class; its id is made of the number."""
    values: dict[str, Any] = {
        "stream": cart(),
        "event_id": UUID(int=number),
        "event_type": "Something happened",
        "data": {"number": number},
        "occurred_on": MOMENT,
    }
    return PastEvent(**values | overrides)
