"""The event log and what is derived from it. Only the stores write these tables."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..context import MAX_MESSAGE_ID_LENGTH
from ..exceptions import EventsAreImmutable
from ..registry import MAX_TYPE_NAME_LENGTH
from ..streams import MAX_ID_LENGTH, MAX_TYPE_LENGTH


class AppendOnlyQuerySet(models.QuerySet["Event"]):
    """Refuses early and by name what triggers in the database refuse for everyone."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise EventsAreImmutable("Stored events can't be changed; append a correcting event.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.update()

    def delete(self) -> NoReturn:
        raise EventsAreImmutable("Stored events can't be deleted; append a correcting event.")


class Event(models.Model):
    """One stored event. Application code reads `RecordedEvent`s from the store instead."""

    position = models.BigAutoField(_("position"), primary_key=True)
    event_id = models.UUIDField(_("event id"))
    aggregate_id = models.CharField(_("aggregate id"), max_length=MAX_ID_LENGTH)
    aggregate_type = models.CharField(_("aggregate type"), max_length=MAX_TYPE_LENGTH)
    event_type = models.CharField(_("event type"), max_length=MAX_TYPE_NAME_LENGTH)
    event_version = models.PositiveIntegerField(_("event version"))
    sequence_number = models.BigIntegerField(_("sequence number"))
    event_data = models.JSONField(_("event data"))
    metadata = models.JSONField(_("metadata"))
    # Copies of what is in the metadata, to be indexed. Null is "not there", as in the metadata.
    correlation_id = models.CharField(  # noqa: DJ001
        _("correlation id"), max_length=MAX_MESSAGE_ID_LENGTH, null=True
    )
    causation_id = models.CharField(  # noqa: DJ001
        _("causation id"), max_length=MAX_MESSAGE_ID_LENGTH, null=True
    )
    occurred_on = models.DateTimeField(_("occurred on"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "events"
        verbose_name = _("event")
        verbose_name_plural = _("events")
        permissions = [
            ("export_event", _("Can export events")),
            ("reveal_event", _("Can see personal data, giving a reason")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate_type", "aggregate_id", "sequence_number"],
                name="events_stream_version",
            ),
            models.UniqueConstraint(fields=["event_id"], name="events_event_id"),
        ]
        indexes = [
            models.Index(fields=["aggregate_type", "position"], name="events_category"),
            models.Index(fields=["event_type", "position"], name="events_event_type"),
            models.Index(fields=["correlation_id", "position"], name="events_correlation"),
            models.Index(
                fields=["causation_id", "position"],
                condition=models.Q(causation_id__isnull=False),
                name="events_causation",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.event_type} {self.aggregate_type}-{self.aggregate_id} #{self.sequence_number}"
        )

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise EventsAreImmutable("Events are stored by an event store's append, and never changed.")

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise EventsAreImmutable("Stored events can't be deleted; append a correcting event.")


class AggregateVersion(models.Model):
    """One row a stream: where it stands, and what a list of streams shows without the log."""

    aggregate_type = models.CharField(_("aggregate type"), max_length=MAX_TYPE_LENGTH)
    aggregate_id = models.CharField(_("aggregate id"), max_length=MAX_ID_LENGTH)
    #: Sequence number of the last event.
    version = models.BigIntegerField(_("version"))
    created_at = models.DateTimeField(_("first event at"), default=timezone.now)
    # Not indexed, so that PostgreSQL updates the row in place (HOT) with each append.
    updated_at = models.DateTimeField(_("last event at"), default=timezone.now)

    class Meta:
        db_table = "aggregate_versions"
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate_type", "aggregate_id"], name="aggregate_versions_stream"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.aggregate_type}-{self.aggregate_id}"


class Snapshot(models.Model):
    """The last snapshot of a stream."""

    aggregate_type = models.CharField(_("aggregate type"), max_length=MAX_TYPE_LENGTH)
    aggregate_id = models.CharField(_("aggregate id"), max_length=MAX_ID_LENGTH)
    version = models.BigIntegerField(_("version"))
    schema_version = models.PositiveIntegerField(_("schema version"))
    snapshot_data = models.JSONField(_("snapshot data"))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        db_table = "snapshots"
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        permissions = [("drop_snapshot", _("Can drop snapshots"))]
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate_type", "aggregate_id"], name="snapshots_stream"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.aggregate_type}-{self.aggregate_id} at {self.version}"


class AppendLock(models.Model):
    """A single row. Databases other than PostgreSQL queue their appends on it."""

    taken_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "events_append_lock"

    def __str__(self) -> str:
        return f"taken at {self.taken_at}"
