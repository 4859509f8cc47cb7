"""One saga as an event-sourced aggregate, loaded and saved by `events.repository.Repository`."""

from __future__ import annotations

import random
from copy import copy
from typing import Any, ClassVar

from events.aggregates import EventSourcedAggregate
from events.messages import DomainEvent

from .decisions import Uniform, drafted
from .evolution import evolve
from .identity import saga_type_of
from .inputs import Input
from .plan import Plan
from .registry import definitions
from .state import SagaState, Status


class Saga(EventSourcedAggregate):
    """Its id is `identity.saga_id_for(saga_type, key)`. Can be loaded and looked at where its
    definition is gone; only `handle` and `data` need that.

    Subclasses may add methods, but no state.
    """

    aggregate_type = "Saga"
    # Most sagas end with fewer events than this.
    snapshot_every: ClassVar[int | None] = 100

    #: None before the start.
    state: SagaState | None = None

    def handle(
        self, given: Input, *, uniform: Uniform = random.uniform, **options: Any
    ) -> list[DomainEvent]:
        """Adds what is decided, and returns it. Raises what `decisions.decide` does, and
        DefinitionNotFound or DefinitionChanged; nothing has changed then."""
        draft = drafted(self.plan, self.state, given, uniform=uniform, **options)
        self._uncommitted_events += draft.events
        self.state = draft.state
        return draft.events

    def copy(self) -> Saga:
        """What is added to the one is not in the other."""
        other = copy(self)
        other._uncommitted_events = list(self._uncommitted_events)
        return other

    def add_event(self, event: DomainEvent) -> None:
        # States are never changed in place: they may share what is in the event.
        self.apply_event(event)
        self._uncommitted_events.append(event)

    @property
    def plan(self) -> Plan:
        """The one that it is pinned to, or, before the start, the newest."""
        if self.state is None:
            return definitions.latest(saga_type_of(self.id))
        return definitions.plan_of(self.state)

    @property
    def status(self) -> Status | None:
        return self.state.status if self.state else None

    @property
    def data(self) -> Any:
        """The typed state. Raises LookupError before the start."""
        if self.state is None:
            raise LookupError(f"{self.id} has not started.")
        return self.plan.load_state(self.state.data)

    def apply_event(self, event: DomainEvent) -> None:
        self.state = evolve(self.state, event)
