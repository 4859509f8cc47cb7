"""An event as the store gives it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from .codec import JsonObject
from .messages import DomainEvent
from .registry import event_types
from .streams import StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """What is stored, as it is stored; `event` is the typed event in its current version.

    An event of a type or shape that no code knows can still be listed, shown and counted.
    """

    #: Place in the whole log, from 1, rising but not without gaps.
    position: int
    aggregate_type: str
    aggregate_id: str
    #: Place in the stream, from 0, without gaps.
    sequence_number: int
    event_id: UUID
    event_type: str
    #: The version that `data` was written in.
    event_version: int
    data: JsonObject
    #: Has correlation_id (str), causation_id and user_id (str or None), and free keys.
    metadata: Mapping[str, Any]
    occurred_on: datetime
    recorded_at: datetime
    _event: DomainEvent | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def stream(self) -> StreamName:
        return StreamName(self.aggregate_type, self.aggregate_id)

    @property
    def event(self) -> DomainEvent:
        """Decoded on first use. Raises UnknownEventType, UpcastingFailed or DecodingError."""
        if self._event is None:
            decoded = event_types.decode(
                self.event_type,
                self.event_version,
                self.data,
                event_id=self.event_id,
                occurred_on=self.occurred_on,
                metadata=self.metadata,
            )
            object.__setattr__(self, "_event", decoded)
            return decoded
        return self._event
