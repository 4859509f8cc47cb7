"""Which messages a subscription has handled, written in the transaction of its effects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from ..conf import events_settings
from ..models import InboxEntry, ReceivedEvent

#: Removed in one transaction.
TOGETHER = 1000


def claim(subscription: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """In a transaction. Those that nobody has handled yet: they are handled once this is committed,
    and by nobody else. Waits for others who are handling them right now."""
    # In one order, so that two that claim the same ones wait for each other on one side only.
    ids = sorted(set(event_ids))
    _entries().bulk_create(
        [InboxEntry(subscription=subscription, event_id=event_id) for event_id in ids],
        ignore_conflicts=True,
    )
    rows = _entries().filter(subscription=subscription, event_id__in=ids, handled_at=None)
    if len(ids) == 1 and rows.update(handled_at=Now()):
        return set(ids)
    free = set(rows.select_for_update().order_by("event_id").values_list("event_id", flat=True))
    if free:
        rows.filter(event_id__in=free).update(handled_at=Now())
    return free


def release(subscription: str, event_ids: Collection[UUID]) -> None:
    """In the same transaction: these were not handled after all."""
    if event_ids:
        _entries().filter(subscription=subscription, event_id__in=event_ids).delete()


def begin(subscription: str, event_id: UUID) -> int | None:
    """Commits that the handler of a message which was delivered before is about to run. Returns how
    often that has been committed, with this time; None where the message is handled already."""
    with transaction.atomic(using=events_settings().database):
        _entries().bulk_create(
            [InboxEntry(subscription=subscription, event_id=event_id)], ignore_conflicts=True
        )
        row = _entries().select_for_update().get(subscription=subscription, event_id=event_id)
        if row.handled_at is not None:
            return None
        row.attempts += 1
        row.save(update_fields=["attempts"])
        return row.attempts


def unbegin(subscription: str, event_id: UUID) -> None:
    """That it was begun the last time doesn't count: nothing died of it, and it will be again."""
    rows = _entries().filter(subscription=subscription, event_id=event_id, handled_at=None)
    rows.filter(attempts__gt=0).update(attempts=F("attempts") - 1)


def forget(subscription: str, event_id: UUID) -> None:
    """That it was begun: what became of that is known."""
    rows = _entries().filter(subscription=subscription, event_id=event_id, handled_at=None)
    rows.delete()


def is_handled(subscription: str, event_id: UUID) -> bool:
    rows = _entries().filter(subscription=subscription, event_id=event_id)
    return rows.exclude(handled_at=None).exists()


def tidy(days: int) -> int:
    """Removes some entries that are older; how many that were. The oldest have the lowest ids."""
    before = timezone.now() - timedelta(days=days)
    oldest = list(_entries().order_by("pk").values_list("pk", "handled_at")[:TOGETHER])
    old = [pk for pk, handled_at in oldest if handled_at is not None and handled_at < before]
    if old:
        _entries().filter(pk__in=old).delete()
    return len(old)


def tidy_received(subscription: str, days: int, up_to: int) -> int:
    """Removes some received events that all lanes have passed."""
    before = timezone.now() - timedelta(days=days)
    rows = ReceivedEvent.objects.using(events_settings().database).filter(
        subscription=subscription, position__lte=up_to, received_at__lt=before
    )
    old = list(rows.order_by("position").values_list("pk", flat=True)[:TOGETHER])
    if old:
        rows.filter(pk__in=old).delete()
    return len(old)


def _entries() -> QuerySet[InboxEntry]:
    return InboxEntry.objects.using(events_settings().database)
