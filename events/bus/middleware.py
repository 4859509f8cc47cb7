"""Middleware for an `InMemoryEventBus`: `bus.use(with_correlation_id)`, `bus.use(log_event)`."""

from __future__ import annotations

import dataclasses
import logging

from ..context import current_context
from ..identifiers import new_id
from .memory.subscription import AnyEvent

logger = logging.getLogger(__name__)


def with_correlation_id(event: AnyEvent) -> AnyEvent:
    """Gives an event that has none the id of the conversation it is published in, or a new one."""
    if event.metadata.get("correlation_id"):
        return event
    correlation_id = current_context().correlation_id or str(new_id())
    return dataclasses.replace(event, metadata={**event.metadata, "correlation_id": correlation_id})


def log_event(event: AnyEvent) -> AnyEvent:
    """At level INFO: type, id and conversation. Not the data, which can be personal."""
    logger.info(
        "%s %s, correlation %s",
        event.event_type,
        event.event_id,
        event.metadata.get("correlation_id"),
    )
    return event
