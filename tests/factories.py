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


def item_added(**overrides: Any) -> ItemAdded:
    return ItemAdded(**{"name": "pen", "quantity": 1, "occurred_on": MOMENT} | overrides)


def item_removed(**overrides: Any) -> ItemRemoved:
    return ItemRemoved(**{"name": "pen", "occurred_on": MOMENT} | overrides)


def cart(number: int | str = 1) -> StreamName:
    return StreamName("Cart", f"cart-{number}")
