"""A saga that can't take in what has come for it is blocked, so that an operator sees it."""

from __future__ import annotations

import logging
from typing import Any

from events.bus.subscription import Subscription
from events.exceptions import EventsError
from events.models import FailedEvent
from events.store.configured import event_store

from .clock import database_time
from .correlation import deliveries
from .exceptions import SagaAlreadyStarted, SagaIsBlocked
from .identity import saga_type_of
from .inbox import Inbox
from .inputs import Blocked
from .running import give, repository
from .sending import ASKING_COMMANDS, COMMANDS

logger = logging.getLogger(__name__)


def block_sagas(
    failed_event: FailedEvent, subscription: Subscription, error: BaseException, **kwargs: Any
) -> None:
    """Receives `event_dead_lettered`. That something was started twice is no reason to stop it."""
    if isinstance(error, SagaAlreadyStarted | SagaIsBlocked):
        return
    for saga_id in _saga_ids(failed_event, subscription):
        try:
            give(
                saga_id,
                Blocked(input_id=failed_event.event_id, reason=repr(error), at=database_time()),
            )
        except EventsError:
            logger.exception("%s could not be blocked", saga_id)


def _saga_ids(failed_event: FailedEvent, subscription: Subscription) -> list[str]:
    if subscription.name in (COMMANDS, ASKING_COMMANDS):
        return [failed_event.aggregate_id]
    inbox = subscription.handler
    if not isinstance(inbox, Inbox):
        return []
    recorded = event_store().get_event(failed_event.event_id)
    return [
        delivery.saga_id
        for delivery in deliveries(recorded, database_time())
        # Another kind of saga has a subscription of its own, which may have had no trouble with it.
        if saga_type_of(delivery.saga_id) == inbox.saga_type and _is_running(delivery.saga_id)
    ]


def _is_running(saga_id: str) -> bool:
    saga = repository.find(saga_id)
    return saga is not None and saga.state is not None and not saga.state.has_ended
