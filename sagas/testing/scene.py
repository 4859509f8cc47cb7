"""A saga in a test, before the next input, and the time there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from events.exceptions import EncodingError
from events.messages import DomainEvent
from events.registry import event_types

from ..decisions import decide
from ..definition import Orchestrator
from ..identity import saga_id_for
from ..inputs import Input, Started
from ..instance import Saga

#: When tests begin.
MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Scene:
    """A saga before the next input, and the time."""

    def __init__(self, definition: type[Orchestrator]) -> None:
        self.plan = definition.plan
        self.now = MOMENT
        self._saga: Saga | None = None

    @property
    def saga(self) -> Saga:
        if self._saga is None:
            raise AssertionError("Nothing has started the saga: begin with started(...).")
        return self._saga

    def handle(self, given: Input) -> list[DomainEvent]:
        if self._saga is None:
            if not isinstance(given, Started):
                decide(self.plan, None, given)
                raise AssertionError("unreachable")
            self._saga = Saga(saga_id_for(self.plan.saga_type, given.key))
        saga = self._saga
        events = decide(self.plan, saga.state, given, uniform=lambda least, most: most)
        for event in events:
            _expect_storable(event)
            saga.add_event(event)
        saga.mark_committed(saga.version + len(events))
        return events


#: What can be given: makes the input from the scene.
Cue: TypeAlias = Callable[[Scene], Input]


def _expect_storable(event: DomainEvent) -> None:
    try:
        event_types.encode(event)
    except EncodingError as error:
        raise AssertionError(str(error.under(event.event_type))) from error
