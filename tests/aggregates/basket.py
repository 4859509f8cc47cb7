"""An aggregate for the tests: typed state, a snapshot every three events."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from events.aggregates import EventSourcedAggregate
from events.exceptions import CommandRefused
from events.messages import DomainEvent
from events.registry import event
from events.repository import Repository
from events.streams import StreamName
from tests.factories import MOMENT


@event("tests.LineAdded")
class LineAdded(DomainEvent):
    name: str
    price: Decimal


@event("tests.LineRemoved")
class LineRemoved(DomainEvent):
    name: str


@event("tests.BasketViewed")
class BasketViewed(DomainEvent):
    pass


@event("tests.BasketAbandoned")
class BasketAbandoned(DomainEvent):
    """No aggregate here applies it."""


class BasketIsFull(CommandRefused):
    code = "basket_is_full"


class Basket(EventSourcedAggregate):
    aggregate_type = "Basket"
    snapshot_every: ClassVar[int | None] = 3
    ignored_events = frozenset({BasketViewed})

    lines: dict[str, Decimal]
    total: Decimal = Decimal(0)
    last_added: datetime | None = None

    def __init__(self, aggregate_id: str | UUID) -> None:
        super().__init__(aggregate_id)
        self.lines = {}

    def add(self, name: str, price: str = "1.50", **envelope: Any) -> None:
        if len(self.lines) == 100:
            raise BasketIsFull("A basket holds 100 lines.", limit=100)
        self.add_event(LineAdded(name=name, price=Decimal(price), **envelope))

    def remove(self, name: str) -> None:
        if name in self.lines:
            self.add_event(LineRemoved(name=name))

    def apply_line_added(self, event: LineAdded) -> None:
        self.lines[event.name] = event.price
        self.total += event.price
        self.last_added = event.occurred_on

    def apply_line_removed(self, event: LineRemoved) -> None:
        self.total -= self.lines.pop(event.name)


def basket(*names: str, aggregate_id: str = "1") -> Basket:
    """With lines that aren't saved yet."""
    new = Basket(aggregate_id)
    for name in names:
        new.add(name, occurred_on=MOMENT)
    return new


STREAM = StreamName("Basket", "1")


def snapshot_version(repository: Repository[Any]) -> int | None:
    snapshot = repository.store.find_snapshot(STREAM)
    return snapshot.version if snapshot else None


def save_in_steps(repository: Repository[Any], *batches: int) -> list[int | None]:
    """Where the snapshot is after each save of so many events."""
    aggregate, versions = repository.aggregate_class("1"), []
    for batch in batches:
        for _ in range(batch):
            aggregate.add(f"line {len(aggregate.lines)}", occurred_on=MOMENT)
        repository.save(aggregate)
        versions.append(snapshot_version(repository))
    return versions
