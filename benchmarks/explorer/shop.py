"""The events of the explorer's benchmark, and the aggregate that they make."""

from __future__ import annotations

from typing import Annotated, ClassVar

from events.aggregates import EventSourcedAggregate
from events.messages import DomainEvent
from events.personal import Personal
from events.registry import event


@event("benchmarks.OrderOpened")
class OrderOpened(DomainEvent):
    customer_id: str
    name: Annotated[str, Personal()]


@event("benchmarks.LineAdded")
class LineAdded(DomainEvent):
    product: str
    quantity: int


@event("benchmarks.LineRemoved")
class LineRemoved(DomainEvent):
    product: str


@event("benchmarks.OrderPaid")
class OrderPaid(DomainEvent):
    amount: str


@event("benchmarks.OrderClosed")
class OrderClosed(DomainEvent):
    reason: str


class ExploredOrder(EventSourcedAggregate):
    aggregate_type: ClassVar[str] = "ExploredOrder"

    customer_id: str | None = None
    lines: int = 0
    is_paid: bool = False

    def apply_order_opened(self, opened: OrderOpened) -> None:
        self.customer_id = opened.customer_id

    def apply_line_added(self, added: LineAdded) -> None:
        self.lines += added.quantity

    def apply_line_removed(self, removed: LineRemoved) -> None:
        self.lines -= 1

    def apply_order_paid(self, paid: OrderPaid) -> None:
        self.is_paid = True

    def apply_order_closed(self, closed: OrderClosed) -> None:
        pass
