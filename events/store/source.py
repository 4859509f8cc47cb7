"""Reading events in an order that they keep: of the log, or of what has come from elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from ..bus.patterns import Criterion
from ..exceptions import EventNotFound
from ..recorded_event import RecordedEvent
from ..streams import StreamName, check_category
from .reading import EventPage, EventQuery, Order, check_limit, checked_types, query_for

DEFAULT_BATCH_SIZE = 1000


class EventSource(ABC):
    """Events by position, and by stream.

    All bounds of reads are inclusive. Reads of a category or of the whole never pass the high-water
    mark, so a reader that goes on from the last position that it saw misses nothing.
    """

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
        self,
        correlation_id: str,
        *,
        event_types: Collection[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[RecordedEvent]:
        """All events of one conversation, or those of these types, by position."""
        types = None if event_types is None else tuple(sorted(event_types))
        query = EventQuery(correlation_id=correlation_id, event_types=types, first=1)
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
    def high_water_mark(self) -> int:
        """The position up to which the log is final: every event up to it is visible or will
        never be. 0 where the log is empty. Raises HighWaterMarkUnavailable."""

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
