"""Given, when and then."""

from __future__ import annotations

from pprint import pformat
from typing import Any

from events.exceptions import EventsError
from events.messages import Command, DomainEvent

from ..definition import Orchestrator
from ..instance import Saga
from ..outgoing import REQUESTS, recorded_command
from ..state import Status
from .scene import Cue, Scene


def given(definition: type[Orchestrator], *history: Cue) -> Given:
    """A saga to which this has happened; nothing at all is fine too."""
    scene = Scene(definition)
    for cue in history:
        scene.handle(cue(scene))
    return Given(scene)


class Given:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def when(self, cue: Cue) -> Outcome:
        try:
            events = self._scene.handle(cue(self._scene))
        except EventsError as error:
            return Outcome(self._scene, [], error)
        return Outcome(self._scene, events, None)


class Outcome(Given):
    """What an input led to. Each method raises AssertionError, or returns the same outcome; `when`
    goes on from here."""

    def __init__(self, scene: Scene, events: list[DomainEvent], error: EventsError | None) -> None:
        super().__init__(scene)
        self.events = events
        self.error = error

    @property
    def saga(self) -> Saga:
        return self._scene.saga

    @property
    def requests(self) -> list[Command]:
        """The commands that were decided to be sent."""
        return [recorded_command(event) for event in self.events if isinstance(event, REQUESTS)]

    def then(self, *expected: DomainEvent) -> Outcome:
        """Exactly these events of the saga. Ids, times of occurrence and metadata don't count."""
        self._expect_no_error()
        _expect_equal("events", list(expected), self.events)
        return self

    def then_recorded(self, *expected: type[DomainEvent]) -> Outcome:
        """Events of exactly these classes."""
        self._expect_no_error()
        _expect_equal("events", list(expected), [type(event) for event in self.events])
        return self

    def then_nothing(self) -> Outcome:
        return self.then()

    def then_requests(self, *expected: Command) -> Outcome:
        """Exactly these commands, in this order; none is fine too."""
        self._expect_no_error()
        _expect_equal("commands", list(expected), self.requests)
        return self

    def then_status(self, expected: Status) -> Outcome:
        self._expect_no_error()
        _expect_equal("status", expected, self.saga.status)
        return self

    def then_needs_intervention(self, *steps: str) -> Outcome:
        """Open items for exactly these steps."""
        self.then_status(Status.NEEDS_INTERVENTION)
        assert self.saga.state is not None
        _expect_equal("open items", sorted(steps), sorted(self.saga.state.items))
        return self

    def then_data(self, **expected: Any) -> Outcome:
        """Fields of the typed state afterwards."""
        self._expect_no_error()
        data = self._scene.plan.load_state(self.saga.state.data if self.saga.state else {})
        _expect_equal("data", expected, {name: getattr(data, name) for name in expected})
        return self

    def then_refused(self, error_class: type[EventsError]) -> Outcome:
        """Raised, and nothing has changed."""
        raised = isinstance(self.error, error_class)
        _expect_equal(error_class.__name__, True, raised or self.error or self.events)
        return self

    def _expect_no_error(self) -> None:
        if self.error is not None:
            raise AssertionError(f"Expected no error, but got {self.error!r}") from self.error


def _expect_equal(what: str, expected: Any, actual: Any) -> None:
    if expected != actual:
        raise AssertionError(
            f"Expected the {what}\n{pformat(expected)}\n, but got \n{pformat(actual)}"
        )
