"""Given / when / then for aggregates: no database, no settings.

    def test_a_deactivated_user_cannot_log_in():
        (
            given(User, "ann", registered, UserDeactivated(deactivation_date=MOMENT))
            .when(lambda user: user.log_in())
            .then_refused(UserIsDeactivated)
        )

For tests that need a store, `events.store.memory.MemoryEventStore` is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pprint import pformat
from typing import Any, Generic

from .aggregates import AggregateT, EventSourcedAggregate
from .exceptions import CommandRefused, EncodingError
from .messages import DomainEvent
from .registry import event_types


def given(
    aggregate_class: type[AggregateT], aggregate_id: str, *history: DomainEvent
) -> Given[AggregateT]:
    """An aggregate to which these events have happened; none at all is fine too."""
    aggregate = aggregate_class(aggregate_id)
    aggregate.replay(enumerate(history))
    return Given(aggregate)


class Given(Generic[AggregateT]):
    def __init__(self, aggregate: AggregateT) -> None:
        self._aggregate = aggregate

    def when(self, action: Callable[[AggregateT], Any]) -> Outcome:
        """Calls the action with the aggregate. One that it returns, made by a factory method such
        as `User.register`, is looked at in its place."""
        try:
            returned = action(self._aggregate)
        except CommandRefused as refusal:
            return Outcome(self._aggregate, refusal)
        if isinstance(returned, EventSourcedAggregate):
            return Outcome(returned, None)
        return Outcome(self._aggregate, None)


class Outcome:
    """What an action led to. Each method raises AssertionError, or returns the same outcome."""

    def __init__(self, aggregate: EventSourcedAggregate, refusal: CommandRefused | None) -> None:
        self.aggregate = aggregate
        self.refusal = refusal

    def then(self, *expected: DomainEvent) -> Outcome:
        """Exactly these new events, in this order. Ids, times of occurrence and metadata don't
        count."""
        _expect(self.refusal is None, "events", repr(self.refusal))
        for event in self.aggregate.uncommitted_events:
            _expect_storable(event)
        _expect_equal(list(expected), list(self.aggregate.uncommitted_events))
        return self

    def then_nothing(self) -> Outcome:
        """Accepted, and nothing happened."""
        return self.then()

    def then_refused(
        self, refusal_class: type[CommandRefused], *, code: str | None = None
    ) -> Outcome:
        """Refused for this reason, without any new event."""
        found = self.refusal or list(self.aggregate.uncommitted_events)
        _expect(isinstance(found, refusal_class), refusal_class.__name__, repr(found))
        if code is not None:
            _expect(getattr(found, "code", None) == code, f"the code {code!r}", repr(found))
        _expect_equal([], list(self.aggregate.uncommitted_events))
        return self

    def then_state(self, **expected: Any) -> Outcome:
        """Attributes of the aggregate afterwards."""
        actual = {name: getattr(self.aggregate, name) for name in expected}
        _expect(actual == expected, f"the state\n{pformat(expected)}\n", f"\n{pformat(actual)}")
        return self


def _expect(holds: bool, expected: str, actual: str) -> None:
    if not holds:
        raise AssertionError(f"Expected {expected}, but got {actual}")


def _expect_storable(event: DomainEvent) -> None:
    try:
        event_types.encode(event)
    except EncodingError as error:
        raise AssertionError(str(error.under(event.event_type))) from error


def _expect_equal(expected: Sequence[DomainEvent], actual: Sequence[DomainEvent]) -> None:
    _expect(expected == actual, f"the events\n{pformat(expected)}\n", f"\n{pformat(actual)}")
