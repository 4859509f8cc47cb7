"""What a domain event and a command are, before anything is stored.

Declared with `@event` and `@command` of `registry`; once stored, an event is a `RecordedEvent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from .identifiers import new_id


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """A fact, in the past tense. Subclasses add its data as fields; these three come with each.

    They don't take part in comparison: two events are equal when they say the same.
    """

    event_type: ClassVar[str]
    event_version: ClassVar[int]

    event_id: UUID = field(default_factory=new_id, compare=False, repr=False)
    occurred_on: datetime = field(default_factory=_now, compare=False, repr=False)
    #: Wins over the message context, key by key, when the event is appended.
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


ENVELOPE = frozenset({"event_id", "occurred_on", "metadata"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish, in the imperative, which its one handler may refuse."""

    command_type: ClassVar[str]
    #: Django permission needed to send it over HTTP; None leaves it to superusers.
    permission: ClassVar[str | None]
