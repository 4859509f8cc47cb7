"""How much there is of one product. Which order has how much of it is in `reservation`."""

from __future__ import annotations

from uuid import UUID

from events.aggregates import EventSourcedAggregate

from ..events import StockReceived, StockReleased, StockReserved


class Stock(EventSourcedAggregate):
    """`available` is never below zero: whoever reserves has loaded it, checked it, and saves under
    the version that was loaded."""

    aggregate_type = "Stock"

    available: int = 0
    reserved: int = 0

    def missing(self, quantity: int) -> int:
        """How many there are too few to reserve so many."""
        return max(quantity - self.available, 0)

    def receive(self, quantity: int) -> None:
        self.add_event(StockReceived(quantity=quantity))

    def reserve(self, order_id: UUID, quantity: int) -> None:
        if self.missing(quantity):
            raise ValueError(f"{self.id}: {quantity} of {self.available} can't be reserved")
        self.add_event(StockReserved(order_id=order_id, quantity=quantity))

    def release(self, order_id: UUID, quantity: int) -> None:
        self.add_event(StockReleased(order_id=order_id, quantity=quantity))

    def apply_stock_received(self, event: StockReceived) -> None:
        self.available += event.quantity

    def apply_stock_reserved(self, event: StockReserved) -> None:
        self.available -= event.quantity
        self.reserved += event.quantity

    def apply_stock_released(self, event: StockReleased) -> None:
        self.available += event.quantity
        self.reserved -= event.quantity
