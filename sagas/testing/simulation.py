"""Runs a definition to its end against scripted answers, deterministically, for tests.

run = simulate(
    OrderSagaOrchestrator,
    started(order_placed),
    {
        ReserveInventory: [says(inventory_reserved)],
        ProcessPayment: [silence(), says(payment_failed, after_seconds=900)],
        ReleaseInventory: [fails(), handles()],
    },
)
assert run.saga.status is Status.COMPENSATED
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeAlias

from events.messages import Command, DomainEvent

from ..definition import Orchestrator
from ..exceptions import ActionNotPossible
from ..inputs import Answered, Failed, Handled, Input, Refused
from ..instance import Saga
from ..outgoing import REQUESTS, Requested, Timer, direction_of, recorded_command, timer_of
from .scene import Cue, Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """To one attempt. Comes so long after it was sent, and so many times."""

    event: DomainEvent | None = None
    refusal: str | None = None
    failure: str | None = None
    after_seconds: float = 0
    times: int = 1

    def to(self, request: Requested, at: datetime) -> Input:
        if self.event is not None:
            return Answered(event=self.event, causation_id=str(request.message_id), at=at)
        attempt: dict[str, Any] = {
            "step": request.step,
            "direction": direction_of(request),
            "attempt": request.attempt,
            "at": at,
        }
        if self.refusal is not None:
            return Refused(reason=self.refusal, **attempt)
        if self.failure is not None:
            return Failed(reason=self.failure, **attempt)
        return Handled(**attempt)


def says(event: DomainEvent, *, after_seconds: float = 0, times: int = 1) -> Response:
    return Response(event=event, after_seconds=after_seconds, times=times)


def handles(*, after_seconds: float = 0, times: int = 1) -> Response:
    return Response(after_seconds=after_seconds, times=times)


def refuses(reason: str = "refused", *, after_seconds: float = 0) -> Response:
    return Response(refusal=reason, after_seconds=after_seconds)


def fails(reason: str = "failed", *, after_seconds: float = 0) -> Response:
    return Response(failure=reason, after_seconds=after_seconds)


def silence() -> Response:
    return Response(times=0)


#: To the first, second, ... attempt; further ones are answered as the last.
Script: TypeAlias = Mapping[type[Command], Sequence[Response]]


@dataclass(kw_only=True)
class Run:
    saga: Saga
    events: list[DomainEvent] = field(default_factory=list)
    #: All that came, in the order in which it came.
    inputs: list[Input] = field(default_factory=list)
    #: Those whose command was sent.
    sent: list[Requested] = field(default_factory=list)
    #: Operator's actions that were refused.
    refused: list[ActionNotPossible] = field(default_factory=list)


def simulate(
    definition: type[Orchestrator],
    start: Cue,
    script: Script,
    *,
    actions: Sequence[tuple[float, Cue]] = (),
    max_inputs: int = 1000,
) -> Run:
    """Until nothing is left to come. `actions` are what operators do, each so many seconds after
    the start. Raises AssertionError where there is no end to it."""
    return _Simulation(definition, script).run(start, actions, max_inputs)


class _Simulation:
    def __init__(self, definition: type[Orchestrator], script: Script) -> None:
        self.scene = Scene(definition)
        self.script = script
        self.queue: list[tuple[datetime, int, Cue]] = []
        self.numbers = count()
        self.attempts: Counter[tuple[str, str]] = Counter()

    def run(self, start: Cue, actions: Sequence[tuple[float, Cue]], max_inputs: int) -> Run:
        begin = self.scene.now
        first = start(self.scene)
        events = self.scene.handle(first)
        run = Run(saga=self.scene.saga, inputs=[first])
        self.follow(run, events)
        for seconds, cue in actions:
            self.later(begin + timedelta(seconds=seconds), cue)
        while self.queue:
            if len(run.inputs) >= max_inputs:
                raise AssertionError(f"No end after {max_inputs} inputs: {run.events[-5:]}")
            self.scene.now, _, cue = heapq.heappop(self.queue)
            self.take(run, cue(self.scene))
        return run

    def take(self, run: Run, given: Input) -> None:
        run.inputs.append(given)
        try:
            self.follow(run, self.scene.handle(given))
        except ActionNotPossible as refusal:
            run.refused.append(refusal)

    def follow(self, run: Run, events: list[DomainEvent]) -> None:
        run.events += events
        for event in events:
            timer = timer_of(event)
            if timer is not None:
                self.later(timer.due_at, _firing(timer))
            if isinstance(event, REQUESTS) and self.is_wanted(event):
                run.sent.append(event)
                self.answer(event)

    def is_wanted(self, request: Requested) -> bool:
        state = self.scene.saga.state
        return state is not None and state.wants(
            request.step, direction_of(request), request.attempt
        )

    def answer(self, request: Requested) -> None:
        leg = (request.step, direction_of(request))
        responses = self.script[type(recorded_command(request))]
        response = responses[min(self.attempts[leg], len(responses) - 1)]
        self.attempts[leg] += 1
        at = self.scene.now + timedelta(seconds=response.after_seconds)
        for _ in range(response.times):
            self.later(at, lambda scene: response.to(request, scene.now))

    def later(self, at: datetime, cue: Cue) -> None:
        heapq.heappush(self.queue, (at, next(self.numbers), cue))


def _firing(timer: Timer) -> Cue:
    return lambda scene: timer.fired(scene.now)
