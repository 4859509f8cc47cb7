"""An event as a message, and the way back.

The body is the event's JSON (see `envelope`). Headers repeat what routing, tracing and people look
for: the seed's `aggregateType` and `aggregateId`, the position, and CloudEvents' attributes as its
AMQP binding names them (binary mode).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from ..bus.patterns import Criterion
from ..envelope import domain_event_to_json, past_event_from_json, recorded_event_to_json
from ..exceptions import InvalidInput, MalformedMessage
from ..json_text import to_json_text
from ..messages import DomainEvent
from ..recorded_event import RecordedEvent
from ..store.history import prepare_past
from ..streams import StreamName
from .topology import MAX_NAME_BYTES, check_routing_key

#: Which attempt a message is of: 1, or not there, is the first. `x-death` doesn't count what is
#: published again by a client since RabbitMQ 4.
ATTEMPT = "edda-attempt"
ERROR_TYPE, ERROR_MESSAGE = "edda-error-type", "edda-error-message"
ERROR_TRACEBACK, ERROR_GROUP = "edda-error-traceback", "edda-error-group"

PERSISTENT = 2
_CLOUD = "cloudEvents_"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    exchange: str
    routing_key: str
    body: bytes
    #: By py-amqp's names.
    properties: Mapping[str, Any]
    #: Refused where no queue gets it.
    mandatory: bool = False

    @property
    def message_id(self) -> str:
        return str(self.properties.get("message_id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    body: bytes
    #: By py-amqp's names, the headers as `application_headers`.
    properties: Mapping[str, Any]
    exchange: str = ""
    routing_key: str = ""
    #: Delivered before, to somebody who didn't acknowledge it.
    is_redelivered: bool = False
    tag: int = 0
    _headers: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_headers", self.properties.get("application_headers") or {})

    @property
    def headers(self) -> Mapping[str, Any]:
        return self._headers

    @property
    def message_id(self) -> str:
        return str(self.properties.get("message_id", ""))

    @property
    def attempt(self) -> int:
        value = self._headers.get(ATTEMPT)
        return value if isinstance(value, int) and value > 0 else 1

    def as_outgoing(self, *, exchange: str, routing_key: str, **headers: Any) -> OutgoingMessage:
        """The same message, to go elsewhere, with these headers changed; None removes one."""
        changed = {**self._headers, **headers}
        kept = {name: value for name, value in changed.items() if value is not None}
        return OutgoingMessage(
            exchange=exchange,
            routing_key=routing_key,
            body=self.body,
            properties={
                # One that came with an expiry would not live to see its retry.
                **{name: value for name, value in self.properties.items() if name != "expiration"},
                "application_headers": kept,
                "delivery_mode": PERSISTENT,
            },
            mandatory=True,
        )


def routing_key(aggregate_type: str, event_type: str) -> str:
    return f"{aggregate_type}.{event_type}"


def binding_key(criterion: Criterion) -> str:
    """For a topic exchange. Names may have dots in them, which the broker takes for ends of words:
    so it may let through more than is asked for, never less."""
    aggregate_type = criterion.aggregate_type
    if criterion.event_type is None:
        return "#" if aggregate_type is None else f"{aggregate_type}.#"
    if aggregate_type is None:
        return f"#.{criterion.event_type}"
    return routing_key(aggregate_type, criterion.event_type)


def message_of(event: RecordedEvent, *, exchange: str, source: str) -> OutgoingMessage:
    """Raises InvalidInput where the routing key would be too long."""
    document = recorded_event_to_json(event)
    place = {"position": event.position, f"{_CLOUD}sequence": str(event.sequence_number)}
    return _message(document, event.stream, place, exchange=exchange, source=source)


def message_of_domain_event(
    stream: StreamName, event: DomainEvent, *, exchange: str, source: str
) -> OutgoingMessage:
    """Of one that is in no log."""
    document = domain_event_to_json(stream, event)
    return _message(document, stream, {}, exchange=exchange, source=source)


def _message(
    document: Mapping[str, Any],
    stream: StreamName,
    place: Mapping[str, Any],
    *,
    exchange: str,
    source: str,
) -> OutgoingMessage:
    event_type, metadata = document["eventType"], document["metadata"]
    key = routing_key(stream.aggregate_type, event_type)
    check_routing_key(key)
    headers = {
        "aggregateType": stream.aggregate_type,
        "aggregateId": stream.aggregate_id,
        **place,
        f"{_CLOUD}specversion": "1.0",
        f"{_CLOUD}id": document["eventId"],
        f"{_CLOUD}source": source,
        f"{_CLOUD}type": event_type,
        f"{_CLOUD}subject": str(stream),
        f"{_CLOUD}time": document["occurredOn"],
        f"{_CLOUD}dataversion": document["eventVersion"],
    }
    for name, value in _TRACED.items():
        if isinstance(metadata.get(name), str):
            headers[f"{_CLOUD}{value}"] = metadata[name]
    properties = {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": PERSISTENT,
        "message_id": document["eventId"],
        "type": event_type,
        "application_headers": headers,
    }
    seconds = int(_moment(document["occurredOn"]).timestamp())
    if seconds >= 0:
        properties["timestamp"] = seconds
    correlation_id = metadata.get("correlationId")
    if correlation_id and len(correlation_id.encode()) <= MAX_NAME_BYTES:
        properties["correlation_id"] = correlation_id
    return OutgoingMessage(
        exchange=exchange,
        routing_key=key,
        body=to_json_text(document).encode(),
        properties=properties,
    )


_TRACED = {
    "correlationId": "correlationid",
    "causationId": "causationid",
    "traceparent": "traceparent",
    "tracestate": "tracestate",
}


def recorded_event_of(message: IncomingMessage) -> RecordedEvent:
    """`position` and `sequence_number` are those of the log that it comes from, 0 where it names
    none. Raises MalformedMessage."""
    try:
        document = _document(message.body)
        prepared = prepare_past(past_event_from_json(document))
        recorded_at = _moment(document.get("recordedAt", document["occurredOn"]))
        position, sequence_number = (
            _place(document, name) for name in ("position", "sequenceNumber")
        )
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(str(error)) from error
    past = prepared.past
    return RecordedEvent(
        position=position,
        aggregate_type=past.stream.aggregate_type,
        aggregate_id=past.stream.aggregate_id,
        sequence_number=sequence_number,
        event_id=past.event_id,
        event_type=past.event_type,
        event_version=past.event_version,
        data=past.data,
        metadata={"causation_id": None, "user_id": None, **prepared.metadata},
        occurred_on=past.occurred_on,
        recorded_at=recorded_at,
    )


def _document(body: bytes) -> dict[str, Any]:
    document = json.loads(body.decode(), parse_constant=_refuse_constant)
    if not isinstance(document, dict):
        raise InvalidInput("", f"expected an object, got {type(document).__name__}")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    if moment is None or moment.utcoffset() is None:
        raise InvalidInput("recordedAt", "expected a time with its offset from UTC")
    return moment


def _place(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name, 0)
    if type(value) is not int or not 0 <= value < 2**63:
        raise InvalidInput(name, f"expected a place in a log or a stream, got {value!r:.60}")
    return value
