"""What is derived from sagas' streams, in the same commit: what a list shows, and what is due."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from events.streams import MAX_ID_LENGTH

from .identity import Direction
from .state import Status


class SagaInstance(models.Model):
    """One row a saga: where it stands."""

    saga_id = models.CharField(_("saga id"), max_length=MAX_ID_LENGTH, primary_key=True)
    saga_type = models.CharField(_("saga"), max_length=100)
    definition_version = models.PositiveIntegerField(_("definition version"))
    key = models.CharField(_("key"), max_length=MAX_ID_LENGTH)
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=[(status.value, status.value.replace("_", " ")) for status in Status],
    )
    #: Steps that are being done or undone.
    under_way = models.JSONField(_("under way"), default=list)
    #: What an operator has to look at, by step.
    open_items = models.JSONField(_("open items"), default=dict)
    correlation_id = models.CharField(_("correlation id"), max_length=200)
    started_at = models.DateTimeField(_("started"))
    #: When something was recorded last.
    updated_at = models.DateTimeField(_("updated"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        db_table = "sagas_instances"
        verbose_name = _("saga")
        verbose_name_plural = _("sagas")
        permissions = [("operate_saga", _("Can retry, skip, compensate and abort sagas"))]
        # Each for one list, newest first. None has what changes with every event of a saga, so that
        # PostgreSQL can change the row without touching them.
        indexes = [
            models.Index(fields=["started_at", "saga_id"], name="sagas_started"),
            models.Index(fields=["status", "started_at", "saga_id"], name="sagas_status"),
            models.Index(fields=["saga_type", "started_at", "saga_id"], name="sagas_type"),
            models.Index(
                fields=["correlation_id", "started_at", "saga_id"], name="sagas_correlation"
            ),
        ]

    def __str__(self) -> str:
        return self.saga_id


class SagaTimer(models.Model):
    """Due by the time of the database. Never cancelled: an outdated one does nothing."""

    saga_id = models.CharField(max_length=MAX_ID_LENGTH)
    step = models.CharField(max_length=200)
    direction = models.CharField(
        max_length=4, choices=[(direction.value, direction.value) for direction in Direction]
    )
    attempt = models.PositiveIntegerField()
    #: Of an attempt that is to be made; otherwise the time-out of one that was.
    is_retry = models.BooleanField()
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "sagas_timers"
        verbose_name = _("timer")
        verbose_name_plural = _("timers")
        constraints = [
            models.UniqueConstraint(
                fields=["saga_id", "step", "direction", "attempt", "is_retry"], name="sagas_timer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.saga_id} {self.step} {self.attempt}, due {self.due_at}"
