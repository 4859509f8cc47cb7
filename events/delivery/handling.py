"""Calls the handler of a lane, and commits what it does together with the lane's checkpoint; tells
everybody what has failed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import Error, connections, transaction

from ..bus.subscription import Effects, OnFailure, Subscription
from ..exceptions import LeaseLost
from ..models import FailedEvent
from ..recorded_event import RecordedEvent
from ..signals import event_dead_lettered, handler_failed
from .calling import BATCH_SECONDS, BATCH_SECONDS_OF_SINGLE_WRITER, handle_one
from .lanes import Lease
from .outcome import Tally

logger = logging.getLogger(__name__)

#: Between a handler's time limit and that of its statements, where the first can't end the second.
STATEMENT_MARGIN_SECONDS = 0.25


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
        if self.subscription.effects is Effects.EXTERNAL:
            call()
            with transaction.atomic(using=self.lease.using):
                finish()
            return
        with self.transaction():
            call()
            finish()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Opened outside of the time limit, which could hit a commit halfway otherwise.

        What a handler left to be done after the commit can't undo it by raising: repeated, the
        effects would be had twice."""
        using, timeout = self.lease.using, self.subscription.timeout_seconds
        committed: list[bool] = []
        try:
            with transaction.atomic(using=using):
                transaction.on_commit(partial(committed.append, True), using=using)
                if timeout is not None and _statements_are_not_interrupted(using):
                    with connections[using].cursor() as cursor:
                        # A little later, so that it is known for what it is: a time-out.
                        milliseconds = int((timeout + STATEMENT_MARGIN_SECONDS) * 1000)
                        cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")
                yield
        except Exception:
            if not committed:
                raise
            logger.exception("%s has failed after its commit", self.subscription)

    def batch_seconds(self) -> float:
        features = connections[self.lease.using].features
        return BATCH_SECONDS if features.has_select_for_update else BATCH_SECONDS_OF_SINGLE_WRITER

    def raise_if_not_the_handlers(self, error: Exception) -> None:
        """A lost lease, or a lost connection, is for the worker."""
        if isinstance(error, LeaseLost):
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


def _statements_are_not_interrupted(using: str) -> bool:
    """Outside of the main thread, a limit strikes when a statement has ended (see `timeouts`)."""
    return (
        connections[using].vendor == "postgresql"
        and threading.current_thread() is not threading.main_thread()
    )
