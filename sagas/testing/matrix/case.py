"""One case of the matrix: a start, its fault, and what has to be true in the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial

from events.conf import events_settings
from events.exceptions import RegistrationError
from events.models import FailedEvent
from events.recorded_event import RecordedEvent
from events.store.configured import event_store
from events.streams import StreamName

from ...asking import asks_another_system
from ...choreography import Choreography
from ...definition import Orchestrator
from ...events import StepSucceeded
from ...instance import Saga
from ...models import SagaInstance
from ...state import Status
from ...watched import STREAM_TYPE
from ..clock import stopped_clock
from ..faults import Fault, faults_of
from ..process_faults import faults_of_process
from . import choreographed, orchestrated
from .injection import Injection
from .playing import play


def fault_matrix(definition: type[Orchestrator] | type[Choreography]) -> list[FaultCase]:
    """All cases of the saga. Each is a run of its own, for a test database that begins afresh."""
    if issubclass(definition, Orchestrator):
        plan = definition.plan
        faults, stream_type = faults_of(plan, asks_another_system), Saga.aggregate_type
        inject: Inject = partial(orchestrated.injected, plan)
    elif issubclass(definition, Choreography):
        process = definition.process
        faults, stream_type = faults_of_process(process, asks_another_system), STREAM_TYPE
        inject = partial(choreographed.injected, process)
    else:
        raise RegistrationError(f"{definition!r} is neither an Orchestrator nor a Choreography.")
    return [FaultCase(fault, definition.saga_type, stream_type, inject) for fault in faults]


Inject = Callable[[Injection], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a run has come to."""

    saga_id: str
    key: str
    status: Status


@dataclass(frozen=True, slots=True)
class FaultCase:
    """`str` is its name: the step, and what happens to it."""

    fault: Fault
    saga_type: str
    _stream_type: str = field(repr=False)
    _inject: Inject = field(repr=False)

    def __str__(self) -> str:
        return str(self.fault)

    def run(
        self,
        start: Callable[[], object],
        *,
        holds: Iterable[Callable[[Ending], object]] = (),
    ) -> Ending:
        """`start` is called, and has to begin one saga that would complete if nothing went wrong.
        Then everything is handled, with the fault, and time passes until nothing is left to come.

        AssertionError where the fault was not reached, where a handler raised when it was executed
        again, where the saga hasn't come to the end that the fault leads to or has advanced twice
        by one step, where events were left to the dead letters, or where one of `holds` raises it:
        they are called with the ending. It tells what has happened.
        """
        before = set(_saga_ids(self.saga_type))
        injection = Injection.of(self.fault)
        with stopped_clock() as clock, _no_chance(), self._inject(injection):
            start()
            play(clock, injection)
        started = set(_saga_ids(self.saga_type)) - before
        assert len(started) == 1, (
            f"start has to begin one {self.saga_type}, but there are {len(started)} new ones."
        )
        [saga_id] = started
        with self._history_told(saga_id):
            self._check_injection(injection)
            ending = self._ending(saga_id)
            self._check_advanced_once(saga_id)
            _check_dead_letters()
            for invariant in holds:
                invariant(ending)
        return ending

    def _check_injection(self, injection: Injection) -> None:
        for fault in injection.faults:
            assert fault in injection.reached, (
                f"{fault} was not reached: nothing has come to the point where it is injected. "
                "Does the saga complete when nothing goes wrong?"
            )
        raised = injection.raised_again
        assert not raised, f"Executed for the second time, {self.fault.step} raised {raised[0]!r}."

    def _ending(self, saga_id: str) -> Ending:
        row = SagaInstance.objects.using(events_settings().database).get(pk=saga_id)
        assert row.status == self.fault.ends_in, (
            f"The saga should be {self.fault.ends_in} in the end, but is {row.status}. "
            f"Open items: {row.open_items or 'none'}."
        )
        return Ending(saga_id=saga_id, key=row.key, status=Status(row.status))

    def _check_advanced_once(self, saga_id: str) -> None:
        succeeded = Counter(
            recorded.data["step"]
            for recorded in self._history(saga_id)
            if recorded.event_type == StepSucceeded.event_type
        )
        twice = [step for step, times in succeeded.items() if times > 1]
        assert not twice, f"{', '.join(twice)} let the saga advance more than once."

    def _history(self, saga_id: str) -> Iterator[RecordedEvent]:
        return event_store().read_stream(StreamName(self._stream_type, saga_id))

    @contextmanager
    def _history_told(self, saga_id: str) -> Iterator[None]:
        try:
            yield
        except AssertionError as error:
            lines = [f"{self} of {saga_id}, as recorded:"]
            lines += [_line(recorded) for recorded in self._history(saga_id)]
            error.add_note("\n  ".join(lines))
            raise


def _line(recorded: RecordedEvent) -> str:
    told = ("step", "attempt", "steps", "reason", "problem")
    facts = " ".join(f"{name}={recorded.data[name]}" for name in told if name in recorded.data)
    return f"{recorded.occurred_on:%H:%M:%S} {recorded.event_type} {facts}".rstrip()


def _saga_ids(saga_type: str) -> Iterable[str]:
    rows = SagaInstance.objects.using(events_settings().database).filter(saga_type=saga_type)
    return rows.values_list("pk", flat=True)


def _check_dead_letters() -> None:
    rows = FailedEvent.objects.using(events_settings().database)
    dead = [
        f"{row.event_type} at {row.subscription_id}: {row.error_type}: {row.error_message}"
        for row in rows.filter(status=FailedEvent.Status.DEAD)
    ]
    assert not dead, f"Events were left to the dead letters: {'; '.join(dead)}"


@contextmanager
def _no_chance() -> Iterator[None]:
    """The jitter of retries is the same in each run."""
    state = random.getstate()
    random.seed(0)
    try:
        yield
    finally:
        random.setstate(state)
