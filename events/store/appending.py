"""From domain events to rows that any store can write, with every refusal before any write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ..codec import JsonObject
from ..context import merged_metadata
from ..exceptions import ConcurrencyError, DuplicateEventId, EncodingError, InvalidInput
from ..json_text import check_plain, to_json_text
from ..messages import DomainEvent
from ..registry import event_types
from ..streams import (
    ExpectedVersion,
    StreamName,
    check_expected_version,
    describe_expected_version,
)

# PostgreSQL refuses a jsonb array whose elements exceed 2^28 - 1 bytes together (jsonb.h).
MAX_APPEND_BYTES = 200_000_000
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StreamAppend:
    """New events for one stream, and what that stream is expected to be."""

    stream: StreamName
    events: Sequence[DomainEvent]
    expected_version: int = ExpectedVersion.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendResult:
    """Where the events went. `version` and `positions` are those of the first append if it is
    `replayed`, which is to say that the same event ids had been stored before."""

    stream: StreamName
    #: Sequence number of the last event of this append.
    version: int
    #: Places in the log, one for each event.
    positions: tuple[int, ...]
    recorded_at: datetime
    replayed: bool = False


_collected: ContextVar[list[AppendResult] | None] = ContextVar("events_appends", default=None)


@contextmanager
def collecting_appends() -> Iterator[list[AppendResult]]:
    """The results of all appends until the block ends, whoever makes them. Blocks nest; one that
    raises has appended nothing."""
    results: list[AppendResult] = []
    token = _collected.set(results)
    try:
        yield results
    finally:
        _collected.reset(token)
    collect(results)


def collect(results: Sequence[AppendResult]) -> None:
    collected = _collected.get()
    if collected is not None:
        collected.extend(results)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedAppend:
    """One stream's events, encoded and checked.

    `rows` are dicts with event_id (text), event_type, event_version, event_data, metadata and
    occurred_on (ISO 8601); `text` is the same as one JSON array.
    """

    stream: StreamName
    expected_version: int
    events: Sequence[DomainEvent]
    rows: list[JsonObject]
    text: str = field(repr=False)

    @property
    def event_ids(self) -> list[UUID]:
        return [event.event_id for event in self.events]

    def accepts(self, actual: int) -> bool:
        """Whether a stream at this version is what the append expects."""
        if self.expected_version == ExpectedVersion.ANY:
            return True
        if self.expected_version == ExpectedVersion.STREAM_EXISTS:
            return actual >= 0
        return actual == self.expected_version  # NO_STREAM is the version of an empty stream

    def conflict(self, actual: int) -> ConcurrencyError:
        expected = describe_expected_version(self.expected_version)
        return ConcurrencyError(self.stream, expected, actual)

    def duplicate(self) -> DuplicateEventId:
        return DuplicateEventId(self.stream, "some of these ids, or in another stream")


def prepare(append: StreamAppend, context_metadata: JsonObject) -> PreparedAppend:
    """Encodes and checks. Raises InvalidInput (EncodingError with the path of the field)."""
    check_expected_version(append.expected_version)
    if not append.events:
        raise InvalidInput("events", f"there are none to append to {append.stream}")
    merge = _merger(context_metadata)
    rows = [_row(index, event, merge) for index, event in enumerate(append.events)]
    if len(rows) > 1 and len({row["event_id"] for row in rows}) < len(rows):
        raise InvalidInput("events", "two of them have the same event_id")
    return PreparedAppend(
        stream=append.stream,
        expected_version=append.expected_version,
        events=append.events,
        rows=rows,
        text=_text(rows),
    )


def check_together(appends: Sequence[PreparedAppend]) -> None:
    """What several appends at once must not be. Raises InvalidInput."""
    if not appends:
        raise InvalidInput("appends", "there are none")
    if len({append.stream for append in appends}) < len(appends):
        raise InvalidInput("appends", "two of them are for the same stream")
    event_ids = [event_id for append in appends for event_id in append.event_ids]
    if len(set(event_ids)) < len(event_ids):
        raise InvalidInput("appends", "two events have the same event_id")
    _check_size(*(append.text for append in appends))


def _merger(context_metadata: JsonObject) -> Callable[[Mapping[str, Any]], JsonObject]:
    """Merges once what several events share."""
    merged: dict[int, JsonObject] = {}

    def merge(own: Mapping[str, Any]) -> JsonObject:
        found = merged.get(id(own))
        if found is None:
            found = merged[id(own)] = merged_metadata(context_metadata, own)
        return found

    return merge


def _row(
    index: int, event: DomainEvent, merge: Callable[[Mapping[str, Any]], JsonObject]
) -> JsonObject:
    try:
        _check_envelope(event)
        return {
            "event_id": str(event.event_id),
            "event_type": event.event_type,
            "event_version": event.event_version,
            "event_data": event_types.encode(event),
            "metadata": merge(event.metadata),
            "occurred_on": moment_text(event.occurred_on),
        }
    except EncodingError as error:
        raise error.under(event.event_type).under(f"events[{index}]") from None


def _check_envelope(event: DomainEvent) -> None:
    if not isinstance(event.event_id, UUID):
        raise EncodingError("event_id", f"expected UUID, got {type(event.event_id).__name__}")
    if type(event.metadata) is not dict and not isinstance(event.metadata, Mapping):
        raise EncodingError("metadata", f"expected a dict, got {type(event.metadata).__name__}")


def moment_text(moment: datetime) -> str:
    """In UTC: databases take no offsets of seconds, and drivers no years before 1 or after 9999."""
    if type(moment) is datetime and moment.tzinfo is UTC:
        return moment.isoformat()
    if not isinstance(moment, datetime):
        raise EncodingError("occurred_on", f"expected datetime, got {type(moment).__name__}")
    if moment.utcoffset() is None:
        raise EncodingError("occurred_on", "has no offset from UTC")
    if not EARLIEST <= moment <= LATEST:
        raise EncodingError("occurred_on", f"{moment} isn't between {EARLIEST} and {LATEST}")
    return moment.astimezone(UTC).isoformat()


def _text(rows: list[JsonObject]) -> str:
    try:
        text = to_json_text(rows)
    except EncodingError:
        for index, row in enumerate(rows):
            try:
                check_plain(row["event_data"])
            except EncodingError as error:
                raise error.under(row["event_type"]).under(f"events[{index}]") from None
        raise
    _check_size(text)
    return text


def _check_size(*texts: str) -> None:
    size = sum(len(text) if text.isascii() else len(text.encode()) for text in texts)
    if size > MAX_APPEND_BYTES:
        raise InvalidInput("events", f"are {size} bytes of JSON in one append")
