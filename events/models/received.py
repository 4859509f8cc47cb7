"""What came from a message broker. Written by `rabbitmq` alone."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..bus.subscription import MAX_NAME_LENGTH
from ..registry import MAX_TYPE_NAME_LENGTH
from ..streams import MAX_ID_LENGTH, MAX_TYPE_LENGTH
from .delivery import FailedEvent


class InboxEntry(models.Model):
    """A message that a subscription has handled, or begun to: in the transaction of its effects."""

    subscription = models.CharField(_("subscription"), max_length=MAX_NAME_LENGTH)
    event_id = models.UUIDField(_("event id"))
    #: Handlers that were begun for it alone, after it had been delivered before.
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    handled_at = models.DateTimeField(_("handled at"), null=True)

    class Meta:
        db_table = "events_inbox"
        verbose_name = _("inbox entry")
        verbose_name_plural = _("inbox")
        constraints = [
            models.UniqueConstraint(fields=["subscription", "event_id"], name="events_inbox_event")
        ]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.subscription}"


class ReceivedEvent(models.Model):
    """An event of an ordered queue, until it is handled and some time after. It is read like the
    log: in the order of its position, which is that of its arrival."""

    position = models.BigAutoField(_("position"), primary_key=True)
    subscription = models.CharField(_("subscription"), max_length=MAX_NAME_LENGTH)
    event_id = models.UUIDField(_("event id"))
    aggregate_id = models.CharField(_("aggregate id"), max_length=MAX_ID_LENGTH)
    aggregate_type = models.CharField(_("aggregate type"), max_length=MAX_TYPE_LENGTH)
    event_type = models.CharField(_("event type"), max_length=MAX_TYPE_NAME_LENGTH)
    event_version = models.PositiveIntegerField(_("event version"))
    #: In the stream that it comes from.
    sequence_number = models.BigIntegerField(_("sequence number"))
    event_data = models.JSONField(_("event data"))
    metadata = models.JSONField(_("metadata"))
    occurred_on = models.DateTimeField(_("occurred on"))
    #: In the log that it comes from.
    recorded_at = models.DateTimeField(_("recorded at"))
    received_at = models.DateTimeField(_("received at"), default=timezone.now)

    class Meta:
        db_table = "events_received"
        verbose_name = _("received event")
        verbose_name_plural = _("received events")
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "event_id"], name="events_received_event"
            )
        ]
        indexes = [
            models.Index(fields=["subscription", "position"], name="events_received_position"),
            models.Index(
                fields=["subscription", "aggregate_type", "aggregate_id", "sequence_number"],
                name="events_received_stream",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} for {self.subscription}"


class DeadMessage(models.Model):
    """A dead letter as it came from its queue, to be sent there again."""

    failed_event = models.OneToOneField(
        FailedEvent, models.CASCADE, related_name="message", verbose_name=_("failed event")
    )
    queue = models.CharField(_("queue"), max_length=255)
    body = models.BinaryField(_("body"))
    #: AMQP's, the headers as `application_headers`.
    properties = models.JSONField(_("properties"))

    class Meta:
        db_table = "events_dead_messages"
        verbose_name = _("dead message")
        verbose_name_plural = _("dead messages")

    def __str__(self) -> str:
        return f"from {self.queue}"
