"""The state of an aggregate at any version, by the aggregate's own code, step by step.

Nothing is written. What the host's code raises at an event is an answer too: the state before it,
and the traceback. A long replay is refused unless it was asked for, and always bounded.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..aggregates import EventSourcedAggregate
from ..codec import JsonObject
from ..exceptions import EventsError
from ..personal import personal_values, shape_of
from ..personal.shapes import applied_classes
from ..recorded_event import RecordedEvent
from ..registry import event_types
from ..repository import Repository
from ..store.configured import event_store
from ..streams import StreamName

#: Events that a page replays by itself, and on request.
MAX_STEPS = 1_000
MAX_STEPS_ON_REQUEST = 20_000
#: The latest events with personal fields whose values are hidden wherever they occur in a state.
MAX_PERSONAL_EVENTS = 500


class TooManySteps(Exception):
    """`steps` events would have to be replayed."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"{steps} events would have to be replayed.")
        self.steps = steps

    @property
    def is_possible(self) -> bool:
        return self.steps <= MAX_STEPS_ON_REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the aggregate's code raised at an event."""

    version: int
    event_type: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An event, and the encoded states around it; `after` is that before it where it can't be
    applied."""

    recorded: RecordedEvent
    before: JsonObject
    after: JsonObject
    problem: Problem | None = None


@dataclass(slots=True)
class History:
    """Of one stream, by the class of its aggregate."""

    aggregate_class: type[EventSourcedAggregate]
    stream: StreamName
    max_steps: int = MAX_STEPS
    _personal: frozenset[str] | None = field(default=None, init=False)

    def state_at(self, version: int) -> tuple[JsonObject, Problem | None]:
        """After the event with this sequence number; the initial one for -1. Raises
        TooManySteps."""
        aggregate = Repository(self.aggregate_class).nearest(self.stream.aggregate_id, version)
        return self._replay(aggregate, version)

    def replayed(self, version: int) -> tuple[JsonObject, Problem | None]:
        """As `state_at`, from the first event on, whatever the snapshot says."""
        aggregate = self.aggregate_class(self.stream.aggregate_id)
        return self._replay(aggregate, version)

    def steps(self, first: int, last: int) -> Iterator[Step]:
        """From the event with the sequence number `first` to `last`; ends at one that can't be
        applied. Raises TooManySteps."""
        aggregate = Repository(self.aggregate_class).nearest(self.stream.aggregate_id, first - 1)
        before: JsonObject | None = None
        for recorded in self._events(aggregate, last):
            is_wanted = recorded.sequence_number >= first
            if is_wanted and before is None:
                before = encoded(aggregate)
            problem = _apply(aggregate, recorded)
            if before is not None:
                after = encoded(aggregate) if problem is None else before
                yield Step(recorded=recorded, before=before, after=after, problem=problem)
                before = after
            if problem is not None:
                return

    @property
    def personal(self) -> frozenset[str]:
        """Values of the stream's events that are personal, whatever the state calls them."""
        if self._personal is None:
            self._personal = frozenset(self._personal_values())
        return self._personal

    def _personal_values(self) -> Iterator[str]:
        shapes = {
            cls.event_type: shape
            for cls in applied_classes(self.aggregate_class)
            if (shape := shape_of(cls))
        }
        if not shapes:
            return
        events = event_store().read_stream(
            self.stream, event_types=list(shapes), backwards=True, limit=MAX_PERSONAL_EVENTS
        )
        for recorded in events:
            yield from personal_values(_current(recorded), shapes[recorded.event_type])

    def _replay(
        self, aggregate: EventSourcedAggregate, version: int
    ) -> tuple[JsonObject, Problem | None]:
        problem = None
        for recorded in self._events(aggregate, version):
            problem = _apply(aggregate, recorded)
            if problem is not None:
                break
        return encoded(aggregate), problem

    def _events(self, aggregate: EventSourcedAggregate, version: int) -> Iterator[RecordedEvent]:
        if version - aggregate.version > self.max_steps:
            raise TooManySteps(version - aggregate.version)
        return event_store().read_stream(
            self.stream, from_version=aggregate.version + 1, to_version=version
        )


def _apply(aggregate: EventSourcedAggregate, recorded: RecordedEvent) -> Problem | None:
    try:
        aggregate.replay([(recorded.sequence_number, recorded.event)])
    except Exception as error:  # the host's code
        known = isinstance(error, EventsError)
        return Problem(
            version=recorded.sequence_number,
            event_type=recorded.event_type,
            message=str(error) if known else f"{type(error).__name__}: {error}",
            traceback="" if known else "".join(traceback.format_exception(error)),
        )
    return None


def encoded(aggregate: EventSourcedAggregate) -> JsonObject:
    """As a snapshot would have it; where the class can't take one, what its attributes print."""
    try:
        return aggregate.to_snapshot()
    except Exception:  # the host's code, or values that no snapshot can hold
        hidden = ("_stream", "_version", "_snapshot_version", "_uncommitted_events")
        return {
            name: value if isinstance(value, str | int | bool | None) else repr(value)
            for name, value in vars(aggregate).items()
            if name not in hidden
        }


def _current(recorded: RecordedEvent) -> Any:
    try:
        return event_types.current_data(recorded.event_type, recorded.event_version, recorded.data)
    except EventsError:
        return recorded.data
