"""The event store's contract. Command handlers meet it through `repository`, readers directly.

Public methods check, encode and decode; the stores differ in the few methods at the end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from ..context import current_context
from ..messages import DomainEvent
from ..snapshots import Snapshot
from ..streams import ExpectedVersion, StreamName
from .appending import (
    AppendResult,
    PreparedAppend,
    StreamAppend,
    check_together,
    collect,
    prepare,
)
from .history import HistoryResult, PastEvent, PreparedEvent, once_each, prepare_past
from .source import EventSource


class EventStore(EventSource):
    """Append-only streams of events in one log.

    Versions: a stream without events is at -1, its first event has sequence number 0.
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

    @abstractmethod
    def stream_version(self, stream: StreamName) -> int:
        """Sequence number of the stream's last event, -1 where it has none."""

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
