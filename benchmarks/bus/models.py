from __future__ import annotations

from django.db import models


class Receipt(models.Model):
    """What handlers write: a row for each payment."""

    position = models.BigIntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reference = models.CharField(max_length=100)
    #: When its handler was called, in `time.monotonic()`, which all processes share.
    handled_at = models.FloatField()

    class Meta:
        app_label = "bus"

    def __str__(self) -> str:
        return self.reference
