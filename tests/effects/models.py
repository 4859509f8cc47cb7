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
