"""Where each durable subscription stands. Written by `delivery` alone."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..bus.subscription import MAX_NAME_LENGTH
from ..registry import MAX_TYPE_NAME_LENGTH
from ..streams import MAX_ID_LENGTH, MAX_TYPE_LENGTH


class SubscriptionState(models.Model):
    """What is known of a subscription since its first run."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        #: By an operator.
        PAUSED = "paused", _("paused")
        #: By itself, as its policy for failures says.
        STOPPED = "stopped", _("stopped")

    name = models.CharField(_("name"), max_length=MAX_NAME_LENGTH, primary_key=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE
    )
    reason = models.TextField(_("reason"), blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    #: By an operator. Workers forget then what they know of it.
    changed_at = models.DateTimeField(_("changed at"), null=True)

    class Meta:
        db_table = "events_subscriptions"
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        permissions = [
            ("operate_subscription", _("Can pause and resume subscriptions")),
            ("reset_subscription", _("Can reset subscriptions to another position")),
            ("rebuild_subscription", _("Can rebuild projections")),
        ]

    def __str__(self) -> str:
        return self.name


class Lane(models.Model):
    """A share of a subscription's streams, handled by one worker at a time, in order."""

    subscription = models.ForeignKey(
        SubscriptionState, models.CASCADE, related_name="lanes", verbose_name=_("subscription")
    )
    number = models.PositiveSmallIntegerField(_("number"))
    #: The checkpoint: all events up to here are handled, or recorded as failed.
    position = models.BigIntegerField(_("position"))

    # The lease. Whatever is committed in the name of the lane is so only while the token is in it.
    token = models.UUIDField(_("token"), null=True)
    leased_until = models.DateTimeField(_("leased until"), null=True)
    #: Host and process, for operators.
    owner = models.CharField(_("owner"), max_length=200, blank=True)
    # The owner's session in PostgreSQL: when that is gone, so is the owner.
    owner_session = models.IntegerField(null=True)
    owner_session_started_at = models.DateTimeField(null=True)

    #: Handlers were begun for events up to here, and neither their success nor their failure is
    #: known. It outlives a crash, which `attempts` counts.
    attempted_to = models.BigIntegerField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    #: Streams that have failed since the last success.
    failure_streak = models.PositiveIntegerField(default=0)
    #: How often in a row it was taken for an outage; nothing is tried before the moment below.
    outages = models.PositiveIntegerField(_("outages"), default=0)
    not_before = models.DateTimeField(_("backs off until"), null=True)

    handled = models.BigIntegerField(_("handled"), default=0)
    failed_attempts = models.BigIntegerField(_("failed attempts"), default=0)
    timeouts = models.BigIntegerField(_("timeouts"), default=0)
    crashes = models.BigIntegerField(_("crashes"), default=0)
    dead_letters = models.BigIntegerField(_("dead letters"), default=0)
    handler_seconds = models.FloatField(_("seconds in handlers"), default=0)
    #: When the checkpoint was moved last.
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        db_table = "events_lanes"
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")
        constraints = [
            models.UniqueConstraint(fields=["subscription", "number"], name="events_lanes_number")
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id}, lane {self.number}"


class FailedEvent(models.Model):
    """An event that a subscription could not handle yet.

    While it `blocks`, later events of its stream wait for it. They are not stored: they are those
    of the stream up to the lane's position.
    """

    class Status(models.TextChoices):
        #: Handled again when it is due.
        RETRYING = "retrying", _("retrying")
        #: A dead letter: left to an operator.
        DEAD = "dead", _("dead")

    subscription = models.ForeignKey(
        SubscriptionState,
        models.CASCADE,
        related_name="failed",
        verbose_name=_("subscription"),
        db_index=False,
    )
    aggregate_type = models.CharField(_("aggregate type"), max_length=MAX_TYPE_LENGTH)
    aggregate_id = models.CharField(_("aggregate id"), max_length=MAX_ID_LENGTH)
    sequence_number = models.BigIntegerField(_("sequence number"))
    position = models.BigIntegerField(_("position"))
    event_id = models.UUIDField(_("event id"))
    event_type = models.CharField(_("event type"), max_length=MAX_TYPE_NAME_LENGTH)
    #: Lane that handles its stream.
    lane = models.PositiveSmallIntegerField(_("lane"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.RETRYING
    )
    blocks = models.BooleanField(_("blocks its stream"), default=True)
    #: 0 for one that has only waited so far.
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    error_type = models.CharField(_("error"), max_length=200, blank=True)
    error_message = models.TextField(_("message"), blank=True)
    traceback = models.TextField(_("traceback"), blank=True)
    #: Of the error's type and place in the code: failures with one cause share it.
    fingerprint = models.CharField(_("group"), max_length=16, blank=True)
    #: What an operator gave for it: {"event_id", "data", "event_version"}. The log stays as it is.
    edited = models.JSONField(_("edited"), null=True)
    first_failed_at = models.DateTimeField(_("first failed at"), null=True)
    last_failed_at = models.DateTimeField(_("last failed at"), null=True)

    class Meta:
        db_table = "events_failed"
        verbose_name = _("failed event")
        verbose_name_plural = _("failed events")
        permissions = [
            ("retry_failedevent", _("Can retry failed events")),
            ("discard_failedevent", _("Can discard failed events")),
            ("edit_failedevent", _("Can edit and retry failed events")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "aggregate_type", "aggregate_id"],
                condition=models.Q(blocks=True),
                name="events_failed_stream",
            ),
            models.UniqueConstraint(
                fields=["subscription", "event_id"], name="events_failed_event"
            ),
        ]
        indexes = [
            models.Index(
                fields=["subscription", "status", "next_attempt_at"], name="events_failed_due"
            ),
            # Each for one list, newest first.
            models.Index(fields=["status", "id"], name="events_failed_status"),
            models.Index(fields=["subscription", "id"], name="events_failed_name"),
            models.Index(fields=["fingerprint", "id"], name="events_failed_group"),
            models.Index(
                fields=["aggregate_type", "aggregate_id", "id"], name="events_failed_of_stream"
            ),
            models.Index(fields=["event_id"], name="events_failed_event_id"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} at {self.position} for {self.subscription_id}"


class WakeUp(models.Model):
    """A request to drain what is behind, so that many appends make one request."""

    name = models.CharField(max_length=50, primary_key=True)
    requested_at = models.DateTimeField()
    #: Whoever answers it looks for events by itself until then.
    awake_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "events_wake_ups"

    def __str__(self) -> str:
        return self.name
