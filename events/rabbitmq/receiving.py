"""Takes the events of an ordered queue to the database, where the durable engine handles them.

A broker that is to keep an order can't retry: the next message would overtake. So a message is
acknowledged once its event is committed here, in the order of arrival; from then on, its stream
waits or goes on like any stream of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from ..bus.subscription import Subscription
from ..conf import events_settings
from ..exceptions import MalformedMessage
from ..models import ReceivedEvent, SubscriptionState
from ..recorded_event import RecordedEvent
from .failing import dead_letter
from .handling import Tally
from .messages import IncomingMessage, OutgoingMessage, recorded_event_of


@dataclass(slots=True, kw_only=True)
class Receiving:
    """Of one subscription. `publish` returns when the broker has confirmed."""

    subscription: Subscription
    exchange: str
    publish: Callable[[Sequence[OutgoingMessage]], object]
    tally: Tally

    def handle(self, messages: Sequence[IncomingMessage]) -> Iterator[int]:
        """How many of them are done with: all, at once. What holds no event is a dead letter."""
        events, dead = [], []
        for message in messages:
            try:
                event = recorded_event_of(message)
            except MalformedMessage as error:
                dead.append(dead_letter(self.exchange, self.subscription, message, error))
                continue
            if self.subscription.matches(event):
                events.append(event)
        if dead:
            self.publish(dead)
        self._store(events)
        self.tally.received += len(messages) - len(dead)
        self.tally.failed += len(dead)
        self.tally.dead_letters += len(dead)
        yield len(messages)

    def _store(self, events: Sequence[RecordedEvent]) -> None:
        """Those that aren't there yet. One at a time draws positions for a subscription, so that
        they are committed in their order."""
        if not events:
            return
        using, name = events_settings().database, self.subscription.name
        states = SubscriptionState.objects.using(using).filter(name=name)
        with transaction.atomic(using=using):
            list(states.select_for_update(no_key=True))
            ReceivedEvent.objects.using(using).bulk_create(
                [_row(name, event) for event in events], ignore_conflicts=True
            )


def _row(name: str, event: RecordedEvent) -> ReceivedEvent:
    return ReceivedEvent(
        subscription=name,
        event_id=event.event_id,
        aggregate_id=event.aggregate_id,
        aggregate_type=event.aggregate_type,
        event_type=event.event_type,
        event_version=event.event_version,
        sequence_number=event.sequence_number,
        event_data=event.data,
        metadata=event.metadata,
        occurred_on=event.occurred_on,
        recorded_at=event.recorded_at,
    )
