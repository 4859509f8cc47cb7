"""What is derived from sagas' streams, in the same commit: what a list shows, and what is due.

Choreographed processes have no stream that decides: what the watch has seen of them is kept here.
"""

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
        permissions = [
            ("retry_saga", _("Can retry steps of sagas")),
            ("skip_saga", _("Can skip steps of sagas, giving evidence")),
            ("compensate_saga", _("Can have sagas compensated")),
            ("abort_saga", _("Can abort sagas")),
            ("force_abort_saga", _("Can abort sagas by force, also after their pivot")),
            ("release_saga", _("Can release blocked sagas")),
        ]
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
    due_at = models.DateTimeField()

    class Meta:
        db_table = "sagas_timers"
        indexes = [models.Index(fields=["due_at", "id"], name="sagas_timers_due")]
        verbose_name = _("timer")
        verbose_name_plural = _("timers")
        constraints = [
            models.UniqueConstraint(
                fields=["saga_id", "step", "direction", "attempt", "is_retry"], name="sagas_timer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.saga_id} {self.step} {self.attempt}, due {self.due_at}"


class WatchedProcess(models.Model):
    """What the watch knows of one choreographed process. `SagaInstance` shows what follows."""

    saga_id = models.CharField(max_length=MAX_ID_LENGTH, primary_key=True)
    #: Positions of the first event of each type.
    seen = models.JSONField(default=dict)
    #: As `SagaInstance.open_items`, by direction and step, also of what is no longer under way.
    problems = models.JSONField(default=dict)
    #: Steps that an operator has seen to.
    settled = models.JSONField(default=list)

    class Meta:
        db_table = "sagas_watched_processes"
        verbose_name = _("watched process")
        verbose_name_plural = _("watched processes")

    def __str__(self) -> str:
        return self.saga_id


class ProcessDeadline(models.Model):
    """Of a step that is under way in a choreographed process, by the time of the database."""

    saga_id = models.CharField(max_length=MAX_ID_LENGTH)
    step = models.CharField(max_length=200)
    direction = models.CharField(
        max_length=4, choices=[(direction.value, direction.value) for direction in Direction]
    )
    #: None: operators were told.
    due_at = models.DateTimeField(null=True)
    #: The command that turns the process back was sent; now that has to have an effect.
    is_second = models.BooleanField(default=False)

    class Meta:
        db_table = "sagas_process_deadlines"
        indexes = [models.Index(fields=["due_at", "id"], name="sagas_process_deadlines_due")]
        verbose_name = _("deadline")
        verbose_name_plural = _("deadlines")
        constraints = [
            models.UniqueConstraint(
                fields=["saga_id", "step", "direction"], name="sagas_process_deadline"
            )
        ]

    def __str__(self) -> str:
        return f"{self.saga_id} {self.step}, due {self.due_at}"
