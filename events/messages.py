"""What a domain event and a command are, before anything is stored.

Declared with `@event` and `@command` of `registry`; once stored, an event is a `RecordedEvent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from .identifiers import new_id

EventT = TypeVar("EventT", bound="DomainEvent")


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
_IMMUTABLE = (str, int, float, Decimal, date, time, UUID, Enum, NoneType)


def detached(event: EventT) -> EventT:
    """An equal event that shares no list, dict or other mutable value with this one."""
    copies = {
        field.name: deepcopy(value)
        for field in fields(event)
        if field.init
        and field.name not in ENVELOPE
        and not isinstance(value := getattr(event, field.name), _IMMUTABLE)
    }
    return replace(event, **copies) if copies else event


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish, in the imperative, which its one handler may refuse."""

    command_type: ClassVar[str]
    #: Django permission needed to send it over HTTP; None leaves it to superusers.
    permission: ClassVar[str | None]
