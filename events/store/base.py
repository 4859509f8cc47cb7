"""The event store's contract. Command handlers meet it through `repository`, readers directly.

Public methods check, encode and decode; the stores differ in the few methods at the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from ..bus.patterns import Criterion
from ..context import current_context
from ..exceptions import EventNotFound
from ..messages import DomainEvent
from ..recorded_event import RecordedEvent
from ..snapshots import Snapshot
from ..streams import ExpectedVersion, StreamName, check_category
from .appending import (
    AppendResult,
    PreparedAppend,
    StreamAppend,
    check_together,
    collect,
    prepare,
)
from .history import HistoryResult, PastEvent, PreparedEvent, once_each, prepare_past
from .reading import EventPage, EventQuery, Order, check_limit, checked_types, query_for

DEFAULT_BATCH_SIZE = 1000


class EventStore(ABC):
    """Append-only streams of events in one log.

    Versions: a stream without events is at -1, its first event has sequence number 0.
    All bounds of reads are inclusive. Reads of a category or of the log never pass the high-water
    mark, so a reader that goes on from the last position that it saw misses nothing.
    """

    # --- append ---

    def append(
        self,
        stream: StreamName,
        events: Sequence[DomainEvent],
        *,
        expected_version: int = ExpectedVersion.ANY,
    ) -> AppendResult:
        """Stores the events, all or none, after the stream's last one.

        Joins an open transaction; otherwise durable on return. The same event ids again give the
        result of the first append, whatever the expected version, and store nothing.

        Raises ConcurrencyError, DuplicateEventId or InvalidInput. After the first and the last an
        open transaction can go on: nothing was written.
        """
        return self.append_to_streams([StreamAppend(stream, events, expected_version)])[0]

    def append_to_streams(self, appends: Sequence[StreamAppend]) -> list[AppendResult]:
        """As `append`, to several streams at once, all or none; the log has them in this order."""
        metadata = current_context().metadata()
        prepared = [prepare(append, metadata) for append in appends]
        if len(prepared) == 1:
            results = [self._append(prepared[0])]
        else:
            check_together(prepared)
            results = self._append_to_streams(prepared)
        collect(results)
        return results

    def append_history(self, events: Sequence[PastEvent | PreparedEvent]) -> HistoryResult:
        """Stores events that happened elsewhere, all or none, in this order: each after the last
        one of its stream. For some thousands at once; meanwhile, readers of the log wait.

        Those whose ids are stored already, for the same stream, type and time, are left out: the
        same call again stores nothing, and one with more events stores these.

        Joins an open transaction; otherwise durable on return. To subscriptions they are events
        like any other. `collecting_appends` doesn't collect them.

        Raises DuplicateEventId or InvalidInput; an open transaction can go on then.
        """
        prepared = once_each(
            [event if isinstance(event, PreparedEvent) else prepare_past(event) for event in events]
        )
        stored = self._append_history(prepared) if prepared else 0
        return HistoryResult(stored=stored, known=len(events) - stored)

    # --- read ---

    def read_stream(
        self,
        stream: StreamName,
        *,
        from_version: int = 0,
        to_version: int | None = None,
        event_types: Sequence[str] | None = None,
        backwards: bool = False,
        limit: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> Iterator[RecordedEvent]:
        """Events of one stream by sequence number. Empty where there is no such stream."""
        query = replace(
            query_for(str(stream), event_types),
            first=from_version,
            last=to_version,
            backwards=backwards,
        )
        return self._in_batches(query, limit, batch_size)

    def read_log(
        self,
        *,
        category: str | None = None,
        from_position: int = 1,
        to_position: int | None = None,
        event_types: Sequence[str] | None = None,
        backwards: bool = False,
        limit: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> Iterator[RecordedEvent]:
        """Events of the log, or of one category, by position, up to the high-water mark of now.

        Reads in batches, each a statement of its own: millions of events take no more memory than
        one batch.
        """
        if category is not None:
            check_category(category)
        mark = self.high_water_mark()
        query = EventQuery(
            aggregate_type=category,
            event_types=checked_types(event_types),
            first=from_position,
            last=mark if to_position is None else min(mark, to_position),
            backwards=backwards,
        )
        return self._in_batches(query, limit, batch_size)

    def read_page(
        self,
        name: str,
        *,
        position: int = 0,
        count: int = 100,
        event_types: Sequence[str] | None = None,
    ) -> EventPage:
        """At most `count` events from `position` on, of a stream `Order-<id>` (position is the
        sequence number), a category `Order` or the log `$all` (position is that of the log).

        Go on with `page.next_position`.
        """
        check_limit("count", count)
        query = replace(query_for(name, event_types), first=position)
        if query.order is Order.SEQUENCE_NUMBER:
            events = self._select(query, count)
            return EventPage(events, events[-1].sequence_number + 1 if events else position)
        mark = self.high_water_mark()
        events = self._select(replace(query, last=mark), count)
        # A page that isn't full has seen all up to the mark, whatever the filter let through.
        seen = events[-1].position if len(events) == count else mark
        return EventPage(events, max(seen + 1, position))

    def read_correlated(
        self, correlation_id: str, *, limit: int | None = None
    ) -> Iterator[RecordedEvent]:
        """All events of one conversation, by position."""
        query = EventQuery(correlation_id=correlation_id, first=1)
        return self._in_batches(query, limit, DEFAULT_BATCH_SIZE)

    def read_caused_by(
        self, message_id: UUID | str, *, limit: int | None = None
    ) -> Iterator[RecordedEvent]:
        """The children of an event or a command, by position."""
        query = EventQuery(causation_id=str(message_id), first=1)
        return self._in_batches(query, limit, DEFAULT_BATCH_SIZE)

    def get_event(self, event_id: UUID) -> RecordedEvent:
        """Raises EventNotFound."""
        events = self._select(EventQuery(event_ids=(event_id,)), 1)
        if not events:
            raise EventNotFound(event_id)
        return events[0]

    def read_backlog(
        self,
        criteria: Sequence[Criterion],
        *,
        after: int,
        up_to: int,
        limit: int,
        lane: tuple[int, int] | None = None,
    ) -> list[RecordedEvent]:
        """The next events by position that match a criterion, of one lane's streams where it is
        given as (number, of how many). The caller knows that `up_to` isn't past the high-water
        mark."""
        query = EventQuery(criteria=tuple(criteria), lane=lane, first=after + 1, last=up_to)
        return self._select(query, limit)

    def read_first(self, queries: Sequence[EventQuery]) -> list[RecordedEvent | None]:
        """The first event of each, None where there is none; bounded as for `read_backlog`."""
        return [next(iter(self._select(query, 1)), None) for query in queries]

    @abstractmethod
    def stream_version(self, stream: StreamName) -> int:
        """Sequence number of the stream's last event, -1 where it has none."""

    @abstractmethod
    def high_water_mark(self) -> int:
        """The position up to which the log is final: every event up to it is visible or will
        never be. 0 where the log is empty. Raises HighWaterMarkUnavailable."""

    # --- snapshots ---

    @abstractmethod
    def save_snapshot(self, stream: StreamName, snapshot: Snapshot) -> None:
        """Replaces the stream's snapshot, if it has one."""

    @abstractmethod
    def find_snapshot(self, stream: StreamName) -> Snapshot | None: ...

    @abstractmethod
    def delete_snapshot(self, stream: StreamName) -> None:
        """Does nothing where there is none."""

    # --- what each store does its own way ---

    @abstractmethod
    def _append(self, append: PreparedAppend) -> AppendResult: ...

    @abstractmethod
    def _append_to_streams(self, appends: Sequence[PreparedAppend]) -> list[AppendResult]:
        """At least two, of different streams, all or none."""

    @abstractmethod
    def _append_history(self, events: Sequence[PreparedEvent]) -> int:
        """At least one, each with another id. How many were new."""

    @abstractmethod
    def _select(self, query: EventQuery, limit: int) -> list[RecordedEvent]: ...

    def _in_batches(
        self, query: EventQuery, limit: int | None, batch_size: int
    ) -> Iterator[RecordedEvent]:
        check_limit("limit", limit)
        check_limit("batch_size", batch_size)
        return self._batch_by_batch(query, limit, batch_size)

    def _batch_by_batch(
        self, query: EventQuery, remaining: int | None, batch_size: int
    ) -> Iterator[RecordedEvent]:
        """Keyset paging: each batch starts behind the last event of the one before."""
        while remaining is None or remaining > 0:
            size = batch_size if remaining is None else min(batch_size, remaining)
            events = self._select(query, size)
            yield from events
            if len(events) < size:
                return
            if remaining is not None:
                remaining -= size
            place = getattr(events[-1], query.order.value)
            bound = {"last": place - 1} if query.backwards else {"first": place + 1}
            query = replace(query, **bound)
