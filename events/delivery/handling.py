"""Calls the handler of a lane, and commits what it does together with the lane's checkpoint; tells
everybody what has failed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from django.db import Error, connections, transaction

from ..bus.subscription import Effects, OnFailure, Subscription
from ..exceptions import LeaseLost, Outage
from ..models import FailedEvent
from ..recorded_event import RecordedEvent
from ..signals import event_dead_lettered, handler_failed
from .calling import BATCH_SECONDS, BATCH_SECONDS_OF_SINGLE_WRITER, handle_one
from .lanes import Lease
from .outcome import Tally
from .transactions import effects_transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    subscription: Subscription
    lease: Lease
    is_replay: bool
    tally: Tally

    def is_wanted(self, event: RecordedEvent) -> bool:
        return self.subscription.filter is None or bool(self.subscription.filter(event))

    def call(self, event: RecordedEvent, *, attempt: int, finish: Callable[[], object]) -> None:
        call = partial(
            handle_one, self.subscription, event, attempt=attempt, is_replay=self.is_replay
        )
        if self.is_external:
            call()
            with transaction.atomic(using=self.lease.using):
                finish()
            return
        with self.transaction():
            call()
            finish()

    @property
    def is_external(self) -> bool:
        return self.subscription.effects is Effects.EXTERNAL

    def transaction(self) -> AbstractContextManager[None]:
        return effects_transaction(self.subscription, self.lease.using)

    def batch_seconds(self) -> float:
        features = connections[self.lease.using].features
        return BATCH_SECONDS if features.has_select_for_update else BATCH_SECONDS_OF_SINGLE_WRITER

    def raise_if_not_the_handlers(self, error: Exception) -> None:
        """A lost lease, or a lost connection, is for the worker; an outage, for the lane."""
        if isinstance(error, LeaseLost | Outage):
            raise error
        if isinstance(error, Error) and not connections[self.lease.using].is_usable():
            raise error

    # --- failures ---

    def tell(self, event: RecordedEvent, error: BaseException, attempt: int) -> None:
        logger.warning(
            "%s failed at %s of %s (position %d), attempt %d",
            self.subscription,
            event.event_type,
            event.stream,
            event.position,
            attempt,
            exc_info=error,
        )
        self.tally.failed += 1
        self.tally.first_error = self.tally.first_error or error
        handler_failed.send_robust(
            sender=type(self.subscription),
            subscription=self.subscription,
            event=event,
            error=error,
            attempt=attempt,
        )

    def after_failure(self, row: FailedEvent, error: BaseException) -> bool:
        if row.status != FailedEvent.Status.DEAD:
            return True
        self.tally.dead_letters += 1
        event_dead_lettered.send_robust(
            sender=FailedEvent, failed_event=row, subscription=self.subscription, error=error
        )
        return self.subscription.on_failure is not OnFailure.STOP
