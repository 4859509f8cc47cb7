"""Which subscriptions an event is for, and what became of it with each: from their lanes and
failures, since nothing is stored for an event that was handled well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _

from ..bus.subscription import Delivery, Subscription, subscriptions
from ..models import Event, FailedEvent, Lane
from ..recorded_event import RecordedEvent
from ..store.reading import lane_of
from ..streams import StreamName
from .queries import in_log_database


class Outcome(Enum):
    """With a label and a tone for its badge."""

    HANDLED = (_("handled"), "good")
    PASSED_OVER = (_("passed over"), "quiet")
    PENDING = (_("not reached yet"), "busy")
    WAITING = (_("waits behind an earlier failure"), "warning")
    RETRYING = (_("failed, is retried"), "warning")
    DEAD = (_("dead letter"), "bad")
    WITH_APPEND = (_("with the append"), "good")
    AFTER_COMMIT = (_("after the commit, not recorded"), "quiet")
    NEVER_RAN = (_("never ran"), "quiet")

    @property
    def label(self) -> Any:
        return self.value[0]

    @property
    def tone(self) -> str:
        return str(self.value[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Of an event by one subscription."""

    subscription: str
    handler: str
    delivery: str
    outcome: Outcome
    #: The failure, where there is one.
    failed: FailedEvent | None = None
    moved_at: datetime | None = None


def handlings(event: Event, recorded: RecordedEvent) -> list[Handling]:
    """By the code of this process: the subscriptions that the event is for now."""
    wanted = [each for each in subscriptions if each.matches(recorded)]
    names = [each.name for each in wanted if each.delivery is Delivery.DURABLE]
    lanes = _lanes(names)
    failures = _failures(names, event)
    return [_handling(each, event, recorded, lanes, failures) for each in wanted]


def _lanes(names: list[str]) -> dict[tuple[str, int], Lane]:
    if not names:
        return {}
    rows = in_log_database(Lane.objects.filter(subscription_id__in=names))
    found = rows.only("subscription_id", "number", "position", "updated_at")
    return {(row.subscription_id, row.number): row for row in found}


def _failures(names: list[str], event: Event) -> dict[str, FailedEvent]:
    """What the stream has at, or in front of, this event: of several, the event's own."""
    if not names:
        return {}
    rows: list[FailedEvent] = []
    slim = FailedEvent.objects.defer("traceback", "edited").filter(subscription_id__in=names)
    rows += in_log_database(
        slim.filter(
            aggregate_type=event.aggregate_type, aggregate_id=event.aggregate_id, blocks=True
        )
    )
    rows += in_log_database(slim.filter(event_id=event.event_id))
    return {row.subscription_id: row for row in rows if row.position <= event.position}


def _handling(
    subscription: Subscription,
    event: Event,
    recorded: RecordedEvent,
    lanes: dict[tuple[str, int], Lane],
    failures: dict[str, FailedEvent],
) -> Handling:
    stream = StreamName(event.aggregate_type, event.aggregate_id)
    lane = lanes.get((subscription.name, lane_of(stream, subscription.lanes)))
    failed = failures.get(subscription.name)
    return Handling(
        subscription=subscription.name,
        handler=f"{subscription.handler.__module__}.{_name_of(subscription.handler)}",
        delivery=subscription.delivery.value,
        outcome=_outcome(subscription, event, recorded, lane, failed),
        failed=failed,
        moved_at=lane.updated_at if lane else None,
    )


def _name_of(handler: Any) -> str:
    return getattr(handler, "__qualname__", type(handler).__name__)


def _outcome(
    subscription: Subscription,
    event: Event,
    recorded: RecordedEvent,
    lane: Lane | None,
    failed: FailedEvent | None,
) -> Outcome:
    if subscription.delivery is Delivery.INLINE:
        return Outcome.WITH_APPEND
    if subscription.delivery is Delivery.LOCAL:
        return Outcome.AFTER_COMMIT
    if failed is not None and failed.event_id == event.event_id:
        is_dead = failed.status == FailedEvent.Status.DEAD
        return Outcome.DEAD if is_dead else Outcome.RETRYING
    if lane is None:
        return Outcome.NEVER_RAN
    if event.position > lane.position:
        return Outcome.PENDING
    if failed is not None:
        return Outcome.WAITING
    return Outcome.HANDLED if _passes(subscription, recorded) else Outcome.PASSED_OVER


def _passes(subscription: Subscription, recorded: RecordedEvent) -> bool:
    try:
        return subscription.wants(recorded)
    except Exception:  # the subscriber's code; what it raised then is not what it raises now
        return True
