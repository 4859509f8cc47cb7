from __future__ import annotations

from django.db import models


class Purchase(models.Model):
    """What this service knows of an order of the shop."""

    order_id = models.CharField(max_length=255, primary_key=True)
    customer_id = models.UUIDField(db_index=True)
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    currency = models.CharField(max_length=3)
    is_completed = models.BooleanField(default=False)

    class Meta:
        app_label = "loyalty"

    def __str__(self) -> str:
        return self.order_id
