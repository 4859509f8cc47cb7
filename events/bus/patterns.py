"""Which events a subscription is for.

| pattern | events |
|---|---|
| an event class | of its type |
| `UserRegistered` | of this type |
| `User.*` | of all types, of aggregates of the type User |
| `User.UserRegistered` | of this type, of aggregates of the type User |
| `*` | all |

A `DomainEvent` that isn't stored yet belongs to no aggregate: the patterns with an aggregate type
are for `RecordedEvent`s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..exceptions import InvalidInput, RegistrationError
from ..messages import DomainEvent
from ..recorded_event import RecordedEvent
from ..registry import check_type_name
from ..streams import check_category

_EVERYTHING = "*"
_ALL_OF_AGGREGATE_TYPE = ".*"


@dataclass(frozen=True, slots=True)
class Criterion:
    """Events of this aggregate type and of this type. None is any."""

    aggregate_type: str | None
    event_type: str | None

    @property
    def is_everything(self) -> bool:
        return self.aggregate_type is None and self.event_type is None

    def matches(self, event: DomainEvent | RecordedEvent) -> bool:
        return self.fits(getattr(event, "aggregate_type", None), event.event_type)

    def fits(self, aggregate_type: str | None, event_type: str) -> bool:
        return self.event_type in (None, event_type) and self.aggregate_type in (
            None,
            aggregate_type,
        )


@dataclass(frozen=True, slots=True)
class EventPattern:
    """Matches where one of its criteria does. It has several where a name with dots in it can be
    read in several ways: `shop.Sold` is an event type, or `Sold` of aggregates of the type `shop`.
    """

    text: str
    criteria: tuple[Criterion, ...]

    def matches(self, event: DomainEvent | RecordedEvent) -> bool:
        return any(criterion.matches(event) for criterion in self.criteria)

    def __str__(self) -> str:
        return self.text


def parse_pattern(pattern: str | type[DomainEvent]) -> EventPattern:
    """Raises InvalidInput for what can match nothing, whatever is stored."""
    if isinstance(pattern, type) and issubclass(pattern, DomainEvent):
        event_type = getattr(pattern, "event_type", None)
        if event_type is None:
            raise InvalidInput("pattern", f"{pattern.__name__} isn't declared with @event")
        return EventPattern(event_type, (Criterion(None, event_type),))
    if not isinstance(pattern, str):
        raise InvalidInput("pattern", f"expected a str or an event class, got {pattern!r:.60}")
    criteria = tuple(_readings(pattern))
    if not criteria:
        raise InvalidInput(
            "pattern",
            f"{pattern!r} isn't '*', 'Aggregate.*', 'EventType' or 'Aggregate.EventType'",
        )
    return EventPattern(pattern, criteria)


def _readings(text: str) -> Iterator[Criterion]:
    if text == _EVERYTHING:
        yield Criterion(None, None)
        return
    if text.endswith(_ALL_OF_AGGREGATE_TYPE):
        aggregate_type = text.removesuffix(_ALL_OF_AGGREGATE_TYPE)
        if _is_aggregate_type(aggregate_type):
            yield Criterion(aggregate_type, None)
        return
    if _is_event_type(text):
        yield Criterion(None, text)
    for dot in re.finditer(r"\.", text):
        aggregate_type, event_type = text[: dot.start()], text[dot.end() :]
        if _is_aggregate_type(aggregate_type) and _is_event_type(event_type):
            yield Criterion(aggregate_type, event_type)


def _is_event_type(text: str) -> bool:
    try:
        check_type_name(text)
    except RegistrationError:
        return False
    return True


def _is_aggregate_type(text: str) -> bool:
    try:
        check_category(text)
    except InvalidInput:
        return False
    return "*" not in text and text == text.strip(".")
