from __future__ import annotations

from django.db import models

from events.delivery.context import current_delivery
from events.recorded_event import RecordedEvent


class Effect(models.Model):
    """One row each time that a handler has had its way. Not unique: doubles are to be seen."""

    subscription = models.CharField(max_length=200)
    aggregate_id = models.CharField(max_length=255)
    sequence_number = models.BigIntegerField()
    position = models.BigIntegerField()
    attempt = models.PositiveIntegerField()
    note = models.TextField(default="")

    class Meta:
        app_label = "effects"

    def __str__(self) -> str:
        return f"{self.subscription} {self.position}"


class CartItem(models.Model):
    """Has what a read model can have: an id of its own, a constraint, an index."""

    cart = models.CharField(max_length=255)
    name = models.CharField(max_length=100, db_index=True)
    quantity = models.IntegerField()

    class Meta:
        app_label = "effects"
        constraints = [
            models.UniqueConstraint(fields=["cart", "name"], name="effects_cart_item"),
        ]
        indexes = [models.Index(fields=["name", "quantity"], name="effects_cart_quantity")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"


def leave_effect(event: RecordedEvent, note: str = "") -> None:
    """What a handler does that has nothing better to do."""
    delivery = current_delivery()
    Effect.objects.create(
        subscription=delivery.subscription,
        aggregate_id=event.aggregate_id,
        sequence_number=event.sequence_number,
        position=event.position,
        attempt=delivery.attempt,
        note=note,
    )
