"""A read model of the tests' own: how many of each item a cart holds."""

from __future__ import annotations

from django.db.models import F

from events.projections import Projection
from tests.effects.models import CartItem
from tests.factories import ItemAdded, ItemRemoved


class CartItems(Projection):
    def project(self, recorded):
        rows = self.rows(CartItem)
        match recorded.event:
            case ItemAdded() as event:
                row = rows.filter(cart=recorded.aggregate_id, name=event.name)
                if not row.update(quantity=F("quantity") + event.quantity):
                    rows.create(
                        cart=recorded.aggregate_id, name=event.name, quantity=event.quantity
                    )
            case ItemRemoved() as event:
                rows.filter(cart=recorded.aggregate_id, name=event.name).delete()
