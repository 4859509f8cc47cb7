"""Events and commands for the tests of the reusable apps. Keyword overrides, fixed defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from events.messages import DomainEvent
from events.registry import event
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
