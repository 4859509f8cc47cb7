"""Handles messages of a queue: several in one transaction, each for itself when that fails.

Messages that were delivered before are handled alone, and that they are about to be is committed
first: one that kills its process is told from those that were only delivered beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import groupby

from django.db import Error, connections, transaction

from ..bus.subscription import Effects, Subscription
from ..conf import events_settings
from ..delivery.calling import (
    BATCH_SECONDS,
    BATCH_SECONDS_OF_SINGLE_WRITER,
    handle_batch,
    handle_one,
)
from ..delivery.engine import OUTAGE_STREAK, never
from ..delivery.transactions import effects_transaction
from ..exceptions import HandlerDied, MalformedMessage, Outage
from ..recorded_event import RecordedEvent
from ..signals import handler_failed
from . import inbox
from .failing import dead_letter, retry_copy
from .messages import IncomingMessage, OutgoingMessage, recorded_event_of

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What a consumer has done."""

    handled: int = 0
    #: Handled before, by whomever.
    repeated: int = 0
    #: The binding or the filter let them through or not, but they aren't for the handler.
    unwanted: int = 0
    #: Taken over to the database, of ordered queues.
    received: int = 0
    failed: int = 0
    dead_letters: int = 0
    redriven: int = 0

    @property
    def messages(self) -> int:
        return self.handled + self.repeated + self.unwanted + self.received + self.failed


@dataclass(frozen=True, slots=True)
class Delivered:
    message: IncomingMessage
    event: RecordedEvent


@dataclass(slots=True, kw_only=True)
class Handling:
    """Of one subscription. `publish` returns when the broker has confirmed."""

    subscription: Subscription
    exchange: str
    publish: Callable[[Sequence[OutgoingMessage]], object]
    is_stopping: Callable[[], bool] = never
    tally: Tally = field(default_factory=Tally)
    #: Failures since the last success.
    streak: int = 0

    def handle(self, messages: Sequence[IncomingMessage]) -> Iterator[int]:
        """How many more of them, from the first one on, are done with: each time that some are.

        Raises Outage, BrokerUnavailable, or a database error that no handler is to blame for; what
        isn't done with by then has left nothing behind."""
        for is_alone, group in groupby(messages, key=self._is_alone):
            of_group = list(group)
            if is_alone or len(of_group) == 1:
                yield from self._handle_one_by_one(of_group)
            else:
                yield from self._handle_together(of_group)
            if self.is_outage:
                return

    @property
    def is_outage(self) -> bool:
        """So many in a row fail that it isn't the messages."""
        return self.streak >= OUTAGE_STREAK

    # --- together ---

    def _is_alone(self, message: IncomingMessage) -> bool:
        is_list = self.subscription.in_batches
        return (
            message.is_redelivered
            or message.attempt > 1
            or self.streak > 0
            or (self._is_external and not is_list)
        )

    def _handle_together(self, messages: list[IncomingMessage]) -> Iterator[int]:
        while messages:
            done = self._try_together(messages)
            if not done:
                yield from self._handle_one_by_one(messages)
                return
            yield done
            if self.is_stopping():
                return
            messages = messages[done:]

    def _try_together(self, messages: Sequence[IncomingMessage]) -> int:
        """How many of the first ones are done with; 0 when that failed."""
        try:
            delivered = [Delivered(each, recorded_event_of(each)) for each in messages]
            wanted = [each for each in delivered if self.subscription.wants(each.event)]
            done, handled = self._commit_together(wanted)
        except Exception as error:
            self._raise_if_not_the_handlers(error)
            return 0
        is_all = done == len(wanted)
        count = len(messages) if is_all else delivered.index(wanted[done])
        self.tally.handled += handled
        self.tally.repeated += done - handled
        self.tally.unwanted += count - done
        return count

    def _commit_together(self, wanted: Sequence[Delivered]) -> tuple[int, int]:
        """How many of the first ones are done with, and how many of these were handled now."""
        if not wanted:
            return 0, 0
        name, ids = self.subscription.name, [each.event.event_id for each in wanted]
        if self._is_external:
            new = [each.event for each in wanted if not inbox.is_handled(name, each.event.event_id)]
            self._call_together(_once_each(new))
            with self._atomic():
                inbox.claim(name, ids)
            return len(wanted), len(new)
        with effects_transaction(self.subscription, self._using):
            free = inbox.claim(name, ids)
            new = _once_each(each.event for each in wanted if each.event.event_id in free)
            handled = self._call_together(new)
            if handled < len(new):
                inbox.release(name, [event.event_id for event in new[handled:]])
        if handled == len(new):
            return len(wanted), handled
        return ids.index(new[handled].event_id), handled

    def _call_together(self, events: Sequence[RecordedEvent]) -> int:
        if not events:
            return 0
        return handle_batch(
            self.subscription,
            events,
            budget_seconds=self._batch_seconds(),
            is_stopping=self.is_stopping,
        )

    # --- alone ---

    def _handle_one_by_one(self, messages: Iterable[IncomingMessage]) -> Iterator[int]:
        for message in messages:
            self._handle_alone(message)
            yield 1
            if self.is_stopping() or self.is_outage:
                return

    def _handle_alone(self, message: IncomingMessage) -> None:
        event: RecordedEvent | None = None
        try:
            event = recorded_event_of(message)
            if not self.subscription.wants(event):
                self.tally.unwanted += 1
                return
            if message.is_redelivered and not self._begin(event):
                self.tally.repeated += 1
                return
            if self._commit_alone(message, event):
                self.tally.handled += 1
            else:
                self.tally.repeated += 1
            self.streak = 0
        except Exception as error:
            try:
                self._raise_if_not_the_handlers(error)
                self._fail(message, event, error)
            except Outage:
                # Of whatever the handler needs, or of the broker. The process is alive.
                if event is not None and message.is_redelivered:
                    inbox.unbegin(self.subscription.name, event.event_id)
                raise

    def _begin(self, event: RecordedEvent) -> bool:
        """False when it is handled already. Raises HandlerDied when it was begun too often."""
        attempts = inbox.begin(self.subscription.name, event.event_id)
        if attempts is not None and attempts > self.subscription.retry.attempts:
            raise HandlerDied
        return attempts is not None

    def _commit_alone(self, message: IncomingMessage, event: RecordedEvent) -> bool:
        """False when somebody else has handled it."""
        name, attempt = self.subscription.name, message.attempt
        if self._is_external:
            if inbox.is_handled(name, event.event_id):
                return False
            handle_one(self.subscription, event, attempt=attempt)
            with self._atomic():
                inbox.claim(name, [event.event_id])
            return True
        with effects_transaction(self.subscription, self._using):
            if not inbox.claim(name, [event.event_id]):
                return False
            handle_one(self.subscription, event, attempt=attempt)
        return True

    # --- failures ---

    def _fail(
        self, message: IncomingMessage, event: RecordedEvent | None, error: Exception
    ) -> None:
        """Returns when the broker has what comes of it."""
        subscription = self.subscription
        logger.warning(
            "%s failed at message %s, attempt %d",
            subscription,
            message.properties.get("message_id"),
            message.attempt,
            exc_info=error,
        )
        if event is not None:
            handler_failed.send_robust(
                sender=Subscription,
                subscription=subscription,
                event=event,
                error=error,
                attempt=message.attempt,
            )
        is_hopeless = isinstance(error, MalformedMessage | HandlerDied)
        is_dead = is_hopeless or subscription.retry.is_used_up(error, message.attempt)
        if is_dead:
            self.publish([dead_letter(self.exchange, subscription, message, error)])
        else:
            self.publish([retry_copy(self.exchange, subscription, message)])
        if event is not None:
            inbox.forget(subscription.name, event.event_id)
        self.tally.failed += 1
        self.tally.dead_letters += is_dead
        if subscription.backs_off and not is_hopeless and not subscription.retry.is_final(error):
            self.streak += 1

    def _raise_if_not_the_handlers(self, error: Exception) -> None:
        if isinstance(error, Outage):
            raise error
        if isinstance(error, Error) and not connections[self._using].is_usable():
            raise error

    # --- transactions ---

    @property
    def _is_external(self) -> bool:
        return self.subscription.effects is Effects.EXTERNAL

    @property
    def _using(self) -> str:
        return events_settings().database

    def _atomic(self) -> AbstractContextManager[object]:
        return transaction.atomic(using=self._using)

    def _batch_seconds(self) -> float:
        features = connections[self._using].features
        return BATCH_SECONDS if features.has_select_for_update else BATCH_SECONDS_OF_SINGLE_WRITER


def _once_each(events: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """A message can come twice in one batch."""
    return list({event.event_id: event for event in events}.values())
