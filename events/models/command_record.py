"""What became of commands whose sender gave them an id, so that the same id is answered again."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..registry import MAX_TYPE_NAME_LENGTH


class CommandRecord(models.Model):
    """Written in the transaction of the command itself."""

    command_id = models.UUIDField(_("command id"), primary_key=True)
    command_type = models.CharField(_("command type"), max_length=MAX_TYPE_NAME_LENGTH)
    #: SHA-256 of the command's type and of what was sent, hexadecimal: a reused id is told from a
    #: repetition.
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    #: {"value": ..., "correlation_id": ..., "appended": [...]} or {"refusal": {...}}; see
    #: `command_records`.
    outcome = models.JSONField(_("outcome"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)

    class Meta:
        db_table = "events_command_records"
        verbose_name = _("command record")
        verbose_name_plural = _("command records")

    def __str__(self) -> str:
        return f"{self.command_type} {self.command_id}"
