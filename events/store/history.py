"""Events that happened elsewhere, as the store takes them over in bulk: `append_history`.

They keep their ids and times. Their types need no class here, as those of stored events don't.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias, overload
from uuid import UUID, uuid5

from ..codec import JsonObject
from ..context import CAMEL_CASE_NAMES, check_message_ids
from ..exceptions import DuplicateEventId, EncodingError, InvalidInput
from ..json_text import to_json_text
from ..messages import DomainEvent
from ..recorded_event import RecordedEvent
from ..registry import MAX_TYPE_NAME_LENGTH, event_types
from ..streams import StreamName
from .appending import MAX_APPEND_BYTES, moment_text

# Of a column of 32 bits.
MAX_EVENT_VERSION = 2**31 - 1
_CONVERSATIONS = UUID("3f0c3f5e-6a53-5d0c-9f0f-0b8a4d1f6a70")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEvent:
    """An event with a history outside of this log.

    `data` and `metadata` are plain JSON. The context adds nothing to the metadata; without a
    correlation_id, all events of a stream are one conversation.
    """

    stream: StreamName
    event_id: UUID
    event_type: str
    event_version: int = 1
    data: JsonObject
    occurred_on: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, stream: StreamName, event: DomainEvent) -> PastEvent:
        """Raises EncodingError with the path of the field."""
        try:
            data = event_types.encode(event)
        except EncodingError as error:
            raise error.under(event.event_type) from None
        return cls(
            stream=stream,
            event_id=event.event_id,
            event_type=event.event_type,
            event_version=event.event_version,
            data=data,
            occurred_on=event.occurred_on,
            metadata=event.metadata,
        )

    @property
    def as_stored(self) -> StoredEvent:
        stream = self.stream
        return StoredEvent(
            self.event_id,
            stream.aggregate_type,
            stream.aggregate_id,
            self.event_type,
            self.occurred_on,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryResult:
    """What `append_history` did: events that it stored, and those that were stored before."""

    stored: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEvent:
    """A past event that any store can write: checked, with its JSON as text."""

    past: PastEvent
    metadata: JsonObject
    data_text: str = field(repr=False)
    metadata_text: str = field(repr=False)
    #: ISO 8601, in UTC.
    moment: str

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.data_text) + len(self.metadata_text)

    def recorded(self, place: Place, recorded_at: datetime) -> RecordedEvent:
        past = self.past
        return RecordedEvent(
            position=place.position,
            aggregate_type=past.stream.aggregate_type,
            aggregate_id=past.stream.aggregate_id,
            sequence_number=place.sequence_number,
            event_id=past.event_id,
            event_type=past.event_type,
            event_version=past.event_version,
            data=past.data,
            metadata=self.metadata,
            occurred_on=past.occurred_on,
            recorded_at=recorded_at,
        )


#: Type and id of a stream: what a key of dictionaries that thousands go into is fastest as.
NameParts: TypeAlias = tuple[str, str]


class Place(NamedTuple):
    """Where a new event goes."""

    position: int
    sequence_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """New rows of the log, with the place of each."""

    events: Sequence[PreparedEvent]
    places: Sequence[Place]
    recorded_at: datetime

    def recorded(self) -> AdoptedEvents:
        """What a read of the rows gives."""
        return AdoptedEvents(self)


class AdoptedEvents(Sequence[RecordedEvent]):
    """Thousands, which few receivers want: they are made when somebody looks at one. Of which
    kinds they are, (aggregate type, event type), is known before."""

    def __init__(self, written: Written) -> None:
        self._written = written

    @cached_property
    def kinds(self) -> frozenset[tuple[str, str]]:
        past = (event.past for event in self._written.events)
        return frozenset((each.stream.aggregate_type, each.event_type) for each in past)

    @cached_property
    def _made(self) -> list[RecordedEvent]:
        written = self._written
        return [
            event.recorded(place, written.recorded_at)
            for event, place in zip(written.events, written.places, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._written.events)

    @overload
    def __getitem__(self, index: int) -> RecordedEvent: ...

    @overload
    def __getitem__(self, index: slice) -> list[RecordedEvent]: ...

    def __getitem__(self, index: int | slice) -> RecordedEvent | list[RecordedEvent]:
        return self._made[index]

    def __iter__(self) -> Iterator[RecordedEvent]:
        return iter(self._made)


class StoredEvent(NamedTuple):
    """As much of an event in the log as tells whether another one is the same."""

    event_id: UUID
    aggregate_type: str
    aggregate_id: str
    event_type: str
    occurred_on: datetime


def places(
    events: Sequence[PreparedEvent], versions: Mapping[NameParts, int], positions: Sequence[int]
) -> list[Place]:
    """Each behind the one before it in its stream; `versions` are those before the append."""
    last = dict(versions)
    found = []
    for event, position in zip(events, positions, strict=True):
        name = name_parts(event)
        last[name] = number = last[name] + 1
        found.append(Place(position, number))
    return found


def name_parts(event: PreparedEvent) -> NameParts:
    stream = event.past.stream
    return stream.aggregate_type, stream.aggregate_id


def by_parts(versions: Mapping[StreamName, int]) -> dict[NameParts, int]:
    return {(name.aggregate_type, name.aggregate_id): versions[name] for name in versions}


def prepare_past(event: PastEvent) -> PreparedEvent:
    """Raises InvalidInput (EncodingError with the path) for what can't be stored."""
    if not isinstance(event.event_id, UUID):
        raise EncodingError("event_id", f"expected UUID, got {type(event.event_id).__name__}")
    _check_type(event.event_type, event.event_version)
    if type(event.data) is not dict:
        raise EncodingError("data", f"expected a dict, got {type(event.data).__name__}")
    metadata = _metadata(event)
    moment = moment_text(event.occurred_on)
    if event.occurred_on.tzinfo is not UTC:
        # To Python, a time in the hour that summer time doubles equals none of another zone.
        event = replace(event, occurred_on=event.occurred_on.astimezone(UTC))
    prepared = PreparedEvent(
        past=event,
        metadata=metadata,
        data_text=_text("data", event.data),
        metadata_text=_text("metadata", metadata),
        moment=moment,
    )
    if prepared.size > MAX_APPEND_BYTES // 4:  # characters, of up to four bytes
        raise InvalidInput("data", f"has {prepared.size} characters of JSON")
    return prepared


def once_each(events: Sequence[PreparedEvent]) -> Sequence[PreparedEvent]:
    """Without repetitions. Raises DuplicateEventId where different events have the same id."""
    first: dict[UUID, PreparedEvent] = {}
    for event in events:
        first.setdefault(event.past.event_id, event)
    if len(first) == len(events):
        return events
    others = [
        event
        for event in events
        if event.past.as_stored != first[event.past.event_id].past.as_stored
    ]
    if others:
        raise duplicate_ids(others)
    return list(first.values())


def without_known(
    events: Sequence[PreparedEvent], stored: Sequence[StoredEvent]
) -> Sequence[PreparedEvent]:
    """Those that aren't stored yet. Raises DuplicateEventId where another event has the id."""
    by_id = {event.event_id: event for event in stored}
    taken = [
        event
        for event in events
        if by_id.get(event.past.event_id, same := event.past.as_stored) != same
    ]
    if taken:
        raise duplicate_ids(taken)
    return [event for event in events if event.past.event_id not in by_id]


def duplicate_ids(events: Sequence[PreparedEvent]) -> DuplicateEventId:
    ids = [event.past.event_id for event in events]
    return DuplicateEventId(events[0].past.stream, f"{ids[0]} belongs to another one", ids)


def _check_type(name: str, version: int) -> None:
    if not isinstance(name, str) or not name.isprintable() or not name:
        raise EncodingError("event_type", f"{name!r:.200} isn't a name of printable characters")
    if len(name) > MAX_TYPE_NAME_LENGTH:
        raise EncodingError("event_type", f"is longer than {MAX_TYPE_NAME_LENGTH} characters")
    if type(version) is not int or not 1 <= version <= MAX_EVENT_VERSION:
        raise EncodingError("event_version", f"{version!r} isn't a version")


def _metadata(event: PastEvent) -> JsonObject:
    metadata = {**dict.fromkeys(CAMEL_CASE_NAMES), **event.metadata}
    metadata["correlation_id"] = metadata["correlation_id"] or str(
        uuid5(_CONVERSATIONS, str(event.stream))
    )
    check_message_ids(metadata)
    return metadata


def _text(name: str, value: JsonObject) -> str:
    try:
        return to_json_text(value)
    except EncodingError as error:
        raise error.under(name) from None
