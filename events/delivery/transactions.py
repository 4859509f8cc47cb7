"""The transaction that a handler's effects are committed in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db import connections, transaction

from ..bus.subscription import Subscription

logger = logging.getLogger(__name__)

#: Between a handler's time limit and that of its statements, where the first can't end the second.
STATEMENT_MARGIN_SECONDS = 0.25


@contextmanager
def effects_transaction(subscription: Subscription, using: str) -> Iterator[None]:
    """Opened outside of the time limit, which could hit a commit halfway otherwise.

    What a handler left to be done after the commit can't undo it by raising: repeated, the effects
    would be had twice."""
    timeout = subscription.timeout_seconds
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
        logger.exception("%s has failed after its commit", subscription)


def _statements_are_not_interrupted(using: str) -> bool:
    """Outside of the main thread, a limit strikes when a statement has ended (see `timeouts`)."""
    return (
        connections[using].vendor == "postgresql"
        and threading.current_thread() is not threading.main_thread()
    )
