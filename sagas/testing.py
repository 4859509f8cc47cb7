"""Given / when / then for sagas: no database, no settings, no chance, and a clock of their own.

    def test_a_declined_card_releases_the_stock():
        (
            given(OrderSagaOrchestrator, started(order_placed), answered(inventory_reserved))
            .when(answered(payment_failed))
            .then_requests(ReleaseInventory(order_id=ORDER))
            .then_status(Status.COMPENSATING)
        )

What has happened and what happens now are given alike. Whole runs are in `simulation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pprint import pformat
from typing import Any, TypeAlias
from uuid import UUID

from events.exceptions import EncodingError, EventsError
from events.identifiers import new_id
from events.messages import Command, DomainEvent
from events.registry import event_types

from .decisions import decide
from .definition import Orchestrator
from .identity import Direction, message_id_for, saga_id_for
from .inputs import (
    Abort,
    Answered,
    Blocked,
    Compensate,
    Failed,
    Handled,
    Input,
    OfAttempt,
    Refused,
    Release,
    RetryDue,
    RetryStep,
    SkipStep,
    Started,
    TimedOut,
)
from .instance import Saga
from .outgoing import REQUESTS, recorded_command
from .state import Status

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


def started(message: DomainEvent | Command, *, stream_id: str | None = None) -> Cue:
    """`stream_id` is that of the stream which the event is in, where the key is that."""
    message_id = message.event_id if isinstance(message, DomainEvent) else new_id()

    def cue(scene: Scene) -> Input:
        key = scene.plan.start_key(message, stream_id)
        return Started(message=message, message_id=message_id, key=key, at=scene.now)

    return cue


def answered(event: DomainEvent, *, attempt: int | None = None, caused: bool = True) -> Cue:
    """An event caused by the command of the step's last attempt, or of `attempt`. Not `caused`: as
    it comes from where the cause is lost."""

    def cue(scene: Scene) -> Input:
        causation_id = str(_cause(scene, event, attempt)) if caused else None
        return Answered(event=event, causation_id=causation_id, at=scene.now)

    return cue


def _cause(scene: Scene, event: DomainEvent, attempt: int | None) -> UUID:
    routes = scene.plan.routes.get(type(event), ())
    if not routes:
        raise AssertionError(f"{event.event_type} is no answer for {scene.saga.id}")
    state = scene.saga.state
    assert state is not None
    under_way = [each for each in routes if state.leg(each.step.name, each.direction).is_under_way]
    route = (under_way or routes)[0]
    leg = state.leg(route.step.name, route.direction)
    return message_id_for(
        scene.saga.id, route.step.name, route.direction, attempt or max(1, leg.attempt)
    )


def _of_attempt(
    kind: Callable[..., OfAttempt], step: str, *, next_attempt: bool = False, **facts: Any
) -> Cue:
    """Of the leg in the saga's present direction."""

    def cue(scene: Scene) -> Input:
        state = scene.saga.state
        assert state is not None
        direction = Direction.UNDO if state.is_backward else Direction.DO
        attempt = state.leg(step, direction).attempt + next_attempt
        return kind(step=step, direction=direction, attempt=attempt, at=scene.now, **facts)

    return cue


def handled(step: str) -> Cue:
    """The handler of the command returned."""
    return _of_attempt(Handled, step)


def refused(step: str, reason: str = "refused") -> Cue:
    return _of_attempt(Refused, step, reason=reason)


def failed(step: str, reason: str = "failed") -> Cue:
    return _of_attempt(Failed, step, reason=reason)


def timed_out(step: str) -> Cue:
    """Moves the clock to where the attempt is due."""
    return _at_due_time(_of_attempt(TimedOut, step), step)


def retry_due(step: str) -> Cue:
    """Moves the clock to where the next attempt is due."""
    return _at_due_time(_of_attempt(RetryDue, step, next_attempt=True), step)


def _at_due_time(cue: Cue, step: str) -> Cue:
    def later(scene: Scene) -> Input:
        state = scene.saga.state
        assert state is not None
        due_at = state.leg(step, Direction.UNDO if state.is_backward else Direction.DO).due_at
        scene.now = max(scene.now, due_at or scene.now)
        return cue(scene)

    return later


def after(seconds: float, cue: Cue) -> Cue:
    """Moves the clock first."""

    def later(scene: Scene) -> Input:
        scene.now += timedelta(seconds=seconds)
        return cue(scene)

    return later


def blocked(reason: str = "an error") -> Cue:
    return lambda scene: Blocked(input_id=new_id(), reason=reason, at=scene.now)


def _by_operator(kind: Callable[..., Input], **facts: Any) -> Cue:
    action_id = new_id()
    return lambda scene: kind(action_id=action_id, operator="ann", at=scene.now, **facts)


def retried(step: str, reason: str = "mended") -> Cue:
    return _by_operator(RetryStep, step=step, reason=reason)


def skipped(step: str, evidence: str = "seen", learned: Mapping[str, Any] | None = None) -> Cue:
    return _by_operator(SkipStep, step=step, reason=evidence, learned=learned or {})


def compensated(reason: str = "no longer wanted") -> Cue:
    return _by_operator(Compensate, reason=reason)


def aborted(reason: str = "no longer wanted", *, force: bool = False) -> Cue:
    return _by_operator(Abort, reason=reason, force=force)


def released(reason: str = "mended") -> Cue:
    return _by_operator(Release, reason=reason)


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


def _expect_storable(event: DomainEvent) -> None:
    try:
        event_types.encode(event)
    except EncodingError as error:
        raise AssertionError(str(error.under(event.event_type))) from error


def _expect_equal(what: str, expected: Any, actual: Any) -> None:
    if expected != actual:
        raise AssertionError(
            f"Expected the {what}\n{pformat(expected)}\n, but got \n{pformat(actual)}"
        )
