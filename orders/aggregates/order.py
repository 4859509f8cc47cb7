"""What a customer wants, until it is completed or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from events.aggregates import EventSourcedAggregate
from events.exceptions import InvalidInput

from ..addresses import Address
from ..events import (
    OrderCancelled,
    OrderCompleted,
    OrderDelivered,
    OrderPlaced,
    OrderProcessingCompleted,
    OrderProcessingFailed,
    OrderRecalled,
    OrderShipped,
)
from ..exceptions import OrderIsCancelled, OrderIsCompleted, OrderIsShipped
from ..lines import OrderLine
from ..money import Money
from ..payment_methods import check_payment_method


class OrderStatus(StrEnum):
    PLACED = "placed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class Order(EventSourcedAggregate):
    aggregate_type = "Order"
    # A handful of events: there is nothing to save.
    snapshot_every: ClassVar[int | None] = 0
    ignored_events = frozenset({OrderDelivered, OrderProcessingCompleted, OrderProcessingFailed})

    status: OrderStatus | None = None
    user_id: UUID | None = None
    items: tuple[OrderLine, ...] = ()
    total_amount: Money | None = None
    shipping_address: Address | None = None
    payment_method: str = ""
    #: Of the parcel that is under way.
    tracking_number: str | None = None

    @classmethod
    def place(
        cls,
        order_id: UUID,
        user_id: UUID,
        items: Sequence[OrderLine],
        shipping_address: Address,
        payment_method: str,
        freight: Money | None = None,
    ) -> Order:
        """Raises InvalidInput for no lines, lines without a price, or several currencies."""
        _check(items, freight)
        check_payment_method(payment_method)
        order = cls(order_id)
        order.add_event(
            OrderPlaced(
                user_id=user_id,
                items=tuple(items),
                total_amount=_total(items, freight),
                shipping_address=shipping_address,
                payment_method=payment_method,
            )
        )
        return order

    @property
    def is_cancelled(self) -> bool:
        return self.status is OrderStatus.CANCELLED

    def cancel(self, reason: str) -> None:
        """Once; the first reason stands."""
        if self.is_cancelled:
            return
        if self.status is OrderStatus.COMPLETED:
            raise OrderIsCompleted(self.id)
        if self.tracking_number is not None:
            raise OrderIsShipped(self.id, self.tracking_number)
        self.add_event(OrderCancelled(reason=reason))

    def ship(self, tracking_number: str) -> None:
        if self.is_cancelled:
            raise OrderIsCancelled(self.id)
        if self.tracking_number != tracking_number:
            self.add_event(OrderShipped(tracking_number=tracking_number))

    def recall(self) -> None:
        if self.tracking_number is not None:
            self.add_event(OrderRecalled(tracking_number=self.tracking_number))

    def complete(self) -> None:
        if self.is_cancelled:
            raise OrderIsCancelled(self.id)
        if self.status is not OrderStatus.COMPLETED:
            self.add_event(OrderCompleted(completion_date=datetime.now(UTC)))

    def apply_order_placed(self, event: OrderPlaced) -> None:
        self.status = OrderStatus.PLACED
        self.user_id = event.user_id
        self.items = event.items
        self.total_amount = event.total_amount
        self.shipping_address = event.shipping_address
        self.payment_method = event.payment_method

    def apply_order_cancelled(self, event: OrderCancelled) -> None:
        self.status = OrderStatus.CANCELLED

    def apply_order_shipped(self, event: OrderShipped) -> None:
        self.tracking_number = event.tracking_number

    def apply_order_recalled(self, event: OrderRecalled) -> None:
        self.tracking_number = None

    def apply_order_completed(self, event: OrderCompleted) -> None:
        self.status = OrderStatus.COMPLETED


def _total(items: Sequence[OrderLine], freight: Money | None) -> Money:
    try:
        prices = [line.price for line in items]
        return Money.total(prices if freight is None else [*prices, freight])
    except InvalidInput as error:
        raise InvalidInput("items", f"cost too much together: {error}") from error


def _check(items: Sequence[OrderLine], freight: Money | None) -> None:
    if not items:
        raise InvalidInput("items", "are none")
    if freight is not None and freight.amount < 0:
        raise InvalidInput("freight.amount", "must not be less than nothing")
    for index, line in enumerate(items):
        place = f"items[{index}]"
        if not line.product_id.isprintable():  # it names a stream
            raise InvalidInput(f"{place}.product_id", "holds characters that can't be printed")
        if not line.unit_price.is_positive:
            raise InvalidInput(f"{place}.unit_price.amount", "must be more than nothing")
        if line.unit_price.currency != items[0].unit_price.currency:
            raise InvalidInput(
                f"{place}.unit_price.currency",
                f"is {line.unit_price.currency}, but {items[0].unit_price.currency} before",
            )
