"""What operators have asked for that takes longer than a request: carried out by workers, a part at
a time. Written by `delivery` alone."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Operation(models.Model):
    """One request of one operator, and how far it has got."""

    class Kind(models.TextChoices):
        RETRY = "retry", _("retry")
        DISCARD = "discard", _("discard")
        REBUILD = "rebuild", _("rebuild")

    class Status(models.TextChoices):
        #: No worker has begun with it.
        WAITING = "waiting", _("waiting for a worker")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        #: By an operator: what was done before stays done.
        CANCELLED = "cancelled", _("cancelled")
        #: It can't go on; `problem` says why.
        FAILED = "failed", _("failed")

    OPEN = (Status.WAITING, Status.RUNNING)

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.WAITING
    )
    #: The subscription that it is about; empty for several.
    subscription = models.CharField(_("subscription"), max_length=200, blank=True)
    #: What was asked for, by name of the condition. The items are those that met it then.
    conditions = models.JSONField(_("conditions"), default=dict)
    actor = models.CharField(_("by"), max_length=200)
    reason = models.TextField(_("reason"), blank=True)
    #: Items; of a rebuild, the position where it ends.
    total = models.BigIntegerField(_("in all"), default=0)
    #: Items, or the position that is reached.
    done = models.BigIntegerField(_("done"), default=0)
    skipped = models.BigIntegerField(_("skipped"), default=0)
    failed = models.BigIntegerField(_("failed"), default=0)
    problem = models.TextField(_("problem"), blank=True)
    created_at = models.DateTimeField(_("asked for at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True)
    #: When a worker last got on with it.
    updated_at = models.DateTimeField(_("updated at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        db_table = "events_operations"
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=models.Q(kind="rebuild", status__in=["waiting", "running"]),
                name="events_operations_one_rebuild",
            )
        ]
        permissions = [("cancel_operation", _("Can cancel operations"))]
        indexes = [
            models.Index(fields=["status", "id"], name="events_operations_status"),
            models.Index(fields=["subscription", "id"], name="events_operations_name"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class OperationItem(models.Model):
    """A failed event as it was when the operation was asked for. Its outcome is written in the
    commit of what is done to it."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        #: It had changed, or was gone.
        SKIPPED = "skipped", _("skipped")
        #: Something raised; the others went on.
        FAILED = "failed", _("failed")

    operation = models.ForeignKey(
        Operation, models.CASCADE, related_name="items", verbose_name=_("operation"), db_index=False
    )
    failed_event = models.BigIntegerField(_("failed event"))
    #: Of a `dead_letters.Choice`.
    version = models.CharField(max_length=16)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.WAITING
    )
    why = models.TextField(_("why"), blank=True)

    class Meta:
        db_table = "events_operation_items"
        verbose_name = _("item")
        verbose_name_plural = _("items")
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "failed_event"], name="events_operation_item"
            )
        ]
        indexes = [
            models.Index(fields=["operation", "status", "id"], name="events_operation_items_todo")
        ]

    def __str__(self) -> str:
        return f"{self.failed_event}: {self.status}"
