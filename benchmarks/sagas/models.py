from __future__ import annotations

from django.db import models


class StepDone(models.Model):
    """What each step writes, and each undo of one: a row."""

    order_id = models.UUIDField()
    step = models.CharField(max_length=20)

    class Meta:
        db_table = "saga_benchmarks_step_done"

    def __str__(self) -> str:
        return f"{self.order_id} {self.step}"
