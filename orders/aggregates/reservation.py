"""What is set aside for one order. Saved together with the stocks that it takes from.

A stream of its own, and not a part of each stock: the decision is one for all products, and a
stock needn't remember every order that ever touched it to tell a repetition.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar
from uuid import UUID

from events.aggregates import EventSourcedAggregate

from ..events import InventoryReleased, InventoryReservationFailed, InventoryReserved

_NOTHING: Mapping[str, int] = MappingProxyType({})


class Reservation(EventSourcedAggregate):
    aggregate_type = "Reservation"
    # A handful of events: there is nothing to save.
    snapshot_every: ClassVar[int | None] = 0

    #: Type of the event that answered the order, if one has. It is never answered again.
    reply: str | None = None
    #: Quantities by product that are set aside now.
    items: Mapping[str, int] = _NOTHING
    is_released: bool = False

    @property
    def order_id(self) -> UUID:
        return UUID(self.id)

    def reserve(self, items: Mapping[str, int]) -> None:
        self.add_event(InventoryReserved(order_id=self.order_id, items=dict(items)))

    def fail(self, reason: str, missing: Mapping[str, int] | None = None) -> None:
        self.add_event(
            InventoryReservationFailed(
                order_id=self.order_id, reason=reason, missing=dict(missing or {})
            )
        )

    def release(self) -> None:
        """Also before anything is reserved: a request that comes later finds it, and fails."""
        if not self.is_released:
            self.add_event(InventoryReleased(order_id=self.order_id, items=dict(self.items)))

    def apply_inventory_reserved(self, event: InventoryReserved) -> None:
        self.reply = event.event_type
        self.items = event.items

    def apply_inventory_reservation_failed(self, event: InventoryReservationFailed) -> None:
        self.reply = event.event_type

    def apply_inventory_released(self, event: InventoryReleased) -> None:
        self.items = _NOTHING
        self.is_released = True
