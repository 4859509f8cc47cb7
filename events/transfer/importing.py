"""Puts past events into the log in batches, each in a transaction of its own.

Killed at any moment, the next run passes over what is stored and goes on. A row is stored as a
whole or refused as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from ..exceptions import DuplicateEventId, InvalidInput, UnknownEventType, UpcastingFailed
from ..garbage import rarely_collected
from ..registry import event_types
from ..store.base import EventStore
from ..store.history import PastEvent, PreparedEvent, prepare_past
from .ahead import made_ahead
from .mapping import Mapping
from .rows import Refusal, Rows

BATCH_SIZE = 5_000
#: Of JSON text, about: a batch ends here too.
BATCH_CHARACTERS = 8 * 2**20
MOST_UNKNOWN_TYPES = 100


class Candidate(NamedTuple):
    """The events that one row stands for."""

    line: int
    #: To be named in a refusal.
    row: Any
    events: Sequence[PastEvent]


class _Prepared(NamedTuple):
    candidate: Candidate
    events: Sequence[PreparedEvent]


@dataclass(slots=True)
class _Batch:
    """Rows that are stored together, and those refused among them."""

    rows: list[_Prepared] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    ids: set[UUID] = field(default_factory=set)
    characters: int = 0

    def has_any_id_of(self, row: _Prepared) -> bool:
        return any(event.past.event_id in self.ids for event in row.events)

    def add(self, row: _Prepared) -> None:
        self.rows.append(row)
        self.ids.update(event.past.event_id for event in row.events)
        self.characters += sum(event.size for event in row.events)


@dataclass(slots=True)
class ImportTally:
    stored: int = 0
    #: Events that had been stored before.
    known: int = 0
    refused: int = 0
    #: Types that no class in this process is registered for, as far as they were met.
    unknown_types: set[str] = field(default_factory=set)

    @property
    def events(self) -> int:
        return self.stored + self.known


Refuse: TypeAlias = Callable[[Refusal], None]
Progress: TypeAlias = Callable[[ImportTally], None]


def candidates(rows: Rows, mapping: Mapping) -> Iterator[Candidate | Refusal]:
    for row in rows:
        if isinstance(row, Refusal):
            yield row
            continue
        try:
            event = mapping.past_event(row)
        except InvalidInput as error:
            yield Refusal(row.line, str(error), row.values)
        else:
            yield Candidate(row.line, row.values, (event,))


class HistoryImport:
    """One run. `refuse` is called for each refused row, before the batch that it was met with is
    stored; `progress` after each batch, when it is committed."""

    def __init__(
        self,
        store: EventStore,
        *,
        refuse: Refuse,
        progress: Progress = lambda tally: None,
        batch_size: int = BATCH_SIZE,
        is_checked: bool = True,
    ) -> None:
        """`is_checked`: events of a type with a class here must fit it."""
        self.tally = ImportTally()
        self._store = store
        self._refuse = refuse
        self._progress = progress
        self._batch_size = batch_size
        self._is_checked = is_checked

    def run(self, found: Iterable[Candidate | Refusal]) -> ImportTally:
        """Raises what the iterable, which runs in another thread, and the store raise; whole
        batches are stored then."""
        with rarely_collected(), closing(made_ahead(self._batches(found))) as batches:
            for batch in batches:
                for refusal in batch.refusals:
                    self._note(refusal)
                self._append(batch.rows)
                self._progress(self.tally)
        return self.tally

    def _batches(self, found: Iterable[Candidate | Refusal]) -> Iterator[_Batch]:
        batch = _Batch()
        for each in found:
            row = each if isinstance(each, Refusal) else self._prepared(each)
            if isinstance(row, Refusal):
                batch.refusals.append(row)
                if len(batch.refusals) >= self._batch_size:
                    yield batch
                    batch = _Batch()
                continue
            # An id that comes again shall be found in the log: one of the two may be another event.
            if batch.has_any_id_of(row):
                yield batch
                batch = _Batch()
            batch.add(row)
            if len(batch.ids) >= self._batch_size or batch.characters >= BATCH_CHARACTERS:
                yield batch
                batch = _Batch()
        yield batch

    def _prepared(self, candidate: Candidate) -> _Prepared | Refusal:
        try:
            events = [prepare_past(event) for event in candidate.events]
            if self._is_checked:
                self._check(candidate.events)
        except (InvalidInput, UnknownEventType, UpcastingFailed) as error:
            return Refusal(candidate.line, str(error), candidate.row)
        return _Prepared(candidate, events)

    def _check(self, events: Sequence[PastEvent]) -> None:
        for event in events:
            if event_types.find(event.event_type) is None:
                if len(self.tally.unknown_types) < MOST_UNKNOWN_TYPES:
                    self.tally.unknown_types.add(event.event_type)
                continue
            event_types.decode(
                event.event_type,
                event.event_version,
                event.data,
                event_id=event.event_id,
                occurred_on=event.occurred_on,
                metadata=event.metadata,
            )

    def _append(self, rows: list[_Prepared]) -> None:
        while rows:
            try:
                result = self._store.append_history([e for row in rows for e in row.events])
            except DuplicateEventId as error:
                rows = self._without_taken(rows, error)
            else:
                self.tally.stored += result.stored
                self.tally.known += result.known
                return

    def _without_taken(self, rows: list[_Prepared], error: DuplicateEventId) -> list[_Prepared]:
        taken, rest = set(error.event_ids), []
        for row in rows:
            if ids := [e.event_id for e in row.candidate.events if e.event_id in taken]:
                reason = f"event_id: {ids[0]} belongs to another stored event"
                self._note(Refusal(row.candidate.line, reason, row.candidate.row))
            else:
                rest.append(row)
        if len(rest) == len(rows):
            raise error
        return rest

    def _note(self, refusal: Refusal) -> None:
        self.tally.refused += 1
        self._refuse(refusal)
