"""What the queue of a subscription has brought, in the order of arrival, as the engine reads it.

Positions are final as soon as they are seen: whoever receives for a subscription holds its row (see
`receiving`), so there is one at a time, and each draws its positions after the one before has
committed.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max, QuerySet

from ..conf import events_settings
from ..exceptions import EventNotFound
from ..models import DeadMessage, ReceivedEvent
from ..recorded_event import RecordedEvent
from ..store.orm import select
from ..store.reading import EventQuery
from ..store.source import EventSource
from .messages import IncomingMessage, recorded_event_of


class ReceivedEvents(EventSource):
    """Their positions are those of the arrival; all else is as in the log that they come from."""

    def __init__(self, subscription: str) -> None:
        self.subscription = subscription

    def high_water_mark(self) -> int:
        return self._rows.aggregate(last=Max("position"))["last"] or 0

    def get_event(self, event_id: UUID) -> RecordedEvent:
        """A dead letter's, too. Raises EventNotFound, or MalformedMessage."""
        try:
            return super().get_event(event_id)
        except EventNotFound:
            dead = DeadMessage.objects.using(events_settings().database).filter(
                failed_event__subscription_id=self.subscription, failed_event__event_id=event_id
            )
            row = dead.first()
            if row is None:
                raise
        return recorded_event_of(IncomingMessage(body=bytes(row.body), properties=row.properties))

    @property
    def _rows(self) -> QuerySet[ReceivedEvent]:
        rows = ReceivedEvent.objects.using(events_settings().database)
        return rows.filter(subscription=self.subscription)

    def _select(self, query: EventQuery, limit: int) -> list[RecordedEvent]:
        return select(self._rows, query, limit)
