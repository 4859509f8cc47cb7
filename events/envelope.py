"""An event as JSON outside of the database: in HTTP answers, on RabbitMQ, in exports.

The keys are those of the guide that this project follows (eventId, eventType, aggregateId,
aggregateType, eventVersion, occurredOn, data, metadata); a recorded event adds its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from .codec import JsonObject
from .context import CAMEL_CASE_NAMES, current_context, merged_metadata
from .exceptions import DecodingError
from .messages import DomainEvent
from .recorded_event import RecordedEvent
from .registry import event_types
from .store.history import PastEvent
from .streams import StreamName

#: What another log would have in another way.
PLACE_KEYS = ("sequenceNumber", "position", "recordedAt")

_VERSION = re.compile(r"([1-9][0-9]*)(\.0)?", re.ASCII)


def domain_event_to_json(stream: StreamName, event: DomainEvent) -> JsonObject:
    """With the metadata that it would get if it were appended now."""
    return _to_json(
        stream.aggregate_type,
        stream.aggregate_id,
        event,
        event_types.encode(event),
        merged_metadata(current_context().metadata(), event.metadata),
    )


def recorded_event_to_json(event: RecordedEvent) -> JsonObject:
    """With its place in the stream (sequenceNumber) and in the log (position), and recordedAt."""
    return {
        **_to_json(event.aggregate_type, event.aggregate_id, event, event.data, event.metadata),
        "sequenceNumber": event.sequence_number,
        "position": event.position,
        "recordedAt": event.recorded_at.isoformat(),
    }


def domain_event_from_json(document: Mapping[str, Any]) -> tuple[StreamName, DomainEvent]:
    """The way back. Ignores what is not part of a domain event, such as a position.

    Raises DecodingError or InvalidInput naming the key, UnknownEventType or UpcastingFailed.
    """
    past = past_event_from_json(document)
    event = event_types.decode(
        past.event_type,
        past.event_version,
        past.data,
        event_id=past.event_id,
        occurred_on=past.occurred_on,
        metadata=past.metadata,
    )
    return past.stream, event


def past_event_from_json(document: Mapping[str, Any]) -> PastEvent:
    """As `domain_event_from_json`, of a type that need not be known here."""
    stream = StreamName(_text(document, "aggregateType"), _text(document, "aggregateId"))
    snake_case = {camel: snake for snake, camel in CAMEL_CASE_NAMES.items()}
    metadata = _object(document, "metadata")
    return PastEvent(
        stream=stream,
        event_type=_text(document, "eventType"),
        event_version=_event_version(document),
        data=_object(document, "data"),
        event_id=_parsed(document, "eventId", UUID),
        occurred_on=_parsed(document, "occurredOn", _datetime),
        metadata={snake_case.get(key, key): value for key, value in metadata.items()},
    )


def _to_json(
    aggregate_type: str,
    aggregate_id: str,
    event: DomainEvent | RecordedEvent,
    data: JsonObject,
    metadata: Mapping[str, Any],
) -> JsonObject:
    return {
        "eventId": str(event.event_id),
        "eventType": event.event_type,
        "aggregateId": aggregate_id,
        "aggregateType": aggregate_type,
        "eventVersion": f"{event.event_version}.0",
        "occurredOn": event.occurred_on.isoformat(),
        "data": data,
        "metadata": {CAMEL_CASE_NAMES.get(key, key): value for key, value in metadata.items()},
    }


def _get(document: Mapping[str, Any], key: str, kind: type) -> Any:
    if key not in document:
        raise DecodingError(key, "is missing")
    if not isinstance(document[key], kind):
        raise DecodingError(key, f"expected {kind.__name__}, got {type(document[key]).__name__}")
    return document[key]


def _text(document: Mapping[str, Any], key: str) -> str:
    text: str = _get(document, key, str)
    return text


def _object(document: Mapping[str, Any], key: str) -> JsonObject:
    data: JsonObject = _get(document, key, dict)
    return data


def _parsed(document: Mapping[str, Any], key: str, parse: Any) -> Any:
    text = _text(document, key)
    try:
        return parse(text)
    except ValueError as error:
        raise DecodingError(key, str(error)) from error


def _datetime(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("has no offset from UTC")
    return moment


def _event_version(document: Mapping[str, Any]) -> int:
    match = _VERSION.fullmatch(str(document.get("eventVersion")))
    if match is None:
        raise DecodingError("eventVersion", "expected a version such as 1 or '1.0'")
    return int(match[1])
