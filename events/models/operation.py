"""What operators did, and why. Rows are added, never changed."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..bus.subscription import MAX_NAME_LENGTH
from ..exceptions import OperatorLogIsImmutable
from ..streams import MAX_ID_LENGTH, MAX_TYPE_LENGTH

MAX_SUBJECT_LENGTH = MAX_TYPE_LENGTH + 1 + MAX_ID_LENGTH


class _AddOnlyQuerySet(models.QuerySet["OperatorAction"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise OperatorLogIsImmutable

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OperatorLogIsImmutable

    def delete(self) -> NoReturn:
        raise OperatorLogIsImmutable


class OperatorAction(models.Model):
    """Written in the transaction of the action itself."""

    action = models.CharField(_("action"), max_length=50)
    subscription = models.CharField(_("subscription"), max_length=MAX_NAME_LENGTH, blank=True)
    #: What it was done to: the name of a stream, the id of a saga. Empty for more than one.
    subject = models.CharField(_("subject"), max_length=MAX_SUBJECT_LENGTH, blank=True)
    #: The user's name, or where the command was typed.
    actor = models.CharField(_("by"), max_length=200)
    reason = models.TextField(_("reason"), blank=True)
    #: What it was done to: ids, positions, the error that it had, the data before and after.
    details = models.JSONField(_("details"), default=dict)
    done_at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)

    objects = _AddOnlyQuerySet.as_manager()

    class Meta:
        db_table = "events_operator_log"
        verbose_name = _("operator action")
        verbose_name_plural = _("operator log")
        # Each for one search, newest first.
        indexes = [
            models.Index(fields=["action", "id"], name="events_operator_log_action"),
            models.Index(fields=["actor", "id"], name="events_operator_log_actor"),
            models.Index(fields=["subscription", "id"], name="events_operator_log_name"),
            models.Index(fields=["subject", "id"], name="events_operator_log_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise OperatorLogIsImmutable
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OperatorLogIsImmutable
