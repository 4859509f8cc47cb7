"""What to read, as a value that each store turns into its own query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import md5
from uuid import UUID

from ..bus.patterns import Criterion
from ..exceptions import InvalidInput
from ..recorded_event import RecordedEvent
from ..streams import ALL, StreamName, check_category


class Order(Enum):
    """By place in the stream, or by place in the log."""

    SEQUENCE_NUMBER = "sequence_number"
    POSITION = "position"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Conditions, all of which must hold. `first` and `last` are inclusive bounds of the order."""

    order: Order = Order.POSITION
    aggregate_type: str | None = None
    aggregate_id: str | None = None
    event_types: tuple[str, ...] | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    event_ids: tuple[UUID, ...] | None = None
    #: At least one of them must match.
    criteria: tuple[Criterion, ...] | None = None
    #: (number, of): the streams whose `lane_of` is this number.
    lane: tuple[int, int] | None = None
    first: int | None = None
    last: int | None = None
    backwards: bool = False


def lane_of(stream: StreamName, lanes: int) -> int:
    """From 0; the same for a stream for ever, as in `sql/lane_of.sql`."""
    digest = md5(str(stream).encode(), usedforsecurity=False).hexdigest()
    return int(digest[:7], 16) % lanes


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events of a stream, a category or the log, and where the next page starts."""

    events: Sequence[RecordedEvent]
    next_position: int


def query_for(name: str, event_types: Sequence[str] | None) -> EventQuery:
    """The query behind `$all`, a category `Order`, or a stream `Order-<id>`."""
    types = checked_types(event_types)
    if name == ALL:
        return EventQuery(event_types=types)
    if "-" in name:
        stream = StreamName.parse(name)
        return EventQuery(
            order=Order.SEQUENCE_NUMBER,
            aggregate_type=stream.aggregate_type,
            aggregate_id=stream.aggregate_id,
            event_types=types,
        )
    check_category(name)
    return EventQuery(aggregate_type=name, event_types=types)


def checked_types(event_types: Sequence[str] | None) -> tuple[str, ...] | None:
    if isinstance(event_types, str):
        raise InvalidInput("event_types", f"expected a list of types, got {event_types!r}")
    return None if event_types is None else tuple(event_types)


def check_limit(name: str, limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise InvalidInput(name, f"must be at least 1, is {limit}")
