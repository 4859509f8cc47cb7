"""Any definition under any schedule of answers ends as it must, and never in silence.

The invariants:
- an instance that nothing comes for any more is COMPLETED, COMPENSATED or FAILED, or has an open
  item that says what to do;
- COMPLETED: every step is done. COMPENSATED: every step that may have had an effect was undone,
  stage by stage backwards;
- an effect key belongs to one leg of a step, a message id to one attempt of it;
- nothing is sent after the end, but to undo an effect that came late;
- the events alone give the state; the same input again gives no events.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, event, given, settings

from events.bus.retry import RetryPolicy
from events.messages import Command, DomainEvent
from events.registry import command, event_types
from events.registry import event as domain_event
from sagas.decisions import decide
from sagas.definition import Orchestrator
from sagas.events import (
    AnswerSetAside,
    CompensationAbandoned,
    CompensationFailed,
    CompensationPlanned,
    CompensationRequested,
    CompensationSkipped,
    CompensationSucceeded,
    SagaCompensated,
    SagaCompleted,
    SagaFailed,
    StepRejected,
    StepRequested,
    StepSkipped,
    StepSucceeded,
)
from sagas.evolution import evolve
from sagas.exceptions import ActionNotPossible
from sagas.identity import Direction
from sagas.inputs import Input
from sagas.instance import Saga
from sagas.outgoing import REQUESTS, direction_of
from sagas.plan import Plan
from sagas.registry import Definitions
from sagas.state import Progress, SagaState, Status
from sagas.step import START, Compensation, LateSuccess, Parallel, Step
from sagas.testing import Cue, aborted, answered, compensated, retried, skipped, started
from sagas.testing.simulation import (
    Response,
    fails,
    handles,
    refuses,
    says,
    silence,
    simulate,
)

DO, UNDO = Direction.DO, Direction.UNDO
NAMES = ["a", "b", "c", "d", "e"]
DELAYS = st.sampled_from([0, 1, 10, 29, 30, 31, 100, 1000])
TIMES = st.integers(1, 2)
SUCCEEDED, SKIPPED, ABANDONED = Progress.SUCCEEDED, Progress.SKIPPED, Progress.ABANDONED
REOPENING = (CompensationPlanned, CompensationRequested, CompensationFailed)
SETTLED = (CompensationSucceeded, CompensationFailed, CompensationSkipped, CompensationAbandoned)
THOROUGH = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@domain_event("tests.ScheduleBegan")
class Began(DomainEvent):
    key: str


@dataclass(frozen=True, kw_only=True)
class Data:
    key: str


def message_classes(name: str) -> dict[str, Any]:
    """The commands and the answers of one step."""

    def new(base: type, kind: str) -> Any:
        return type(f"{kind}{name}", (base,), {"__annotations__": {"key": "str"}})

    return {
        **{k: command(f"tests.{k}.{name}")(new(Command, k)) for k in ("Do", "Undo")},
        **{
            k: domain_event(f"tests.{k}.{name}")(new(DomainEvent, k))
            for k in ("Done", "Rejected", "Undone", "NotUndone")
        },
    }


MESSAGES = {name: message_classes(name) for name in [*NAMES, START]}
RETRY = RetryPolicy(attempts=2, first_delay_seconds=5, max_delay_seconds=20, jitter=0)


def step(draw: Any, name: str, *, pivot: bool, after_pivot: bool) -> Step:
    of = MESSAGES[name]
    by_event = draw(st.booleans())
    effect_free = not pivot and draw(st.integers(0, 5)) == 0
    has_undo = not effect_free and not after_pivot and (draw(st.integers(0, 5)) > 0)
    return Step(
        command=of["Do"],
        on_success=of["Done"] if by_event else None,
        on_rejection=of["Rejected"],
        compensation=compensation(draw, name) if has_undo else None,
        timeout_seconds=30,
        retry=RETRY,
        pivot=pivot,
        retriable=after_pivot or draw(st.integers(0, 5)) == 0,
        effect_free=effect_free,
        late_success=draw(st.sampled_from(LateSuccess)),
        reply_key="key" if draw(st.booleans()) else None,
    )


def compensation(draw: Any, name: str) -> Compensation:
    of = MESSAGES[name]
    return Compensation(
        command=of["Undo"],
        on_success=of["Undone"] if draw(st.booleans()) else None,
        on_rejection=of["NotUndone"],
        timeout_seconds=30,
        retry=RETRY,
        holds_back_earlier=draw(st.booleans()),
    )


@st.composite
def definitions(draw: Any) -> type[Orchestrator]:
    count = draw(st.integers(1, len(NAMES)))
    pivot_place = draw(st.one_of(st.none(), st.integers(0, count - 1)))
    body: dict[str, Any] = {}
    place = 0
    while place < count:
        is_pivot = place == pivot_place
        after_pivot = pivot_place is not None and place > pivot_place
        free = count - place if pivot_place is None or after_pivot else pivot_place - place
        size = 1 if is_pivot else draw(st.integers(1, max(1, min(3, free))))
        steps = {
            name: step(draw, name, pivot=is_pivot, after_pivot=after_pivot)
            for name in NAMES[place : place + size]
        }
        body |= {f"stage_{place}": Parallel(**steps)} if size > 1 else steps
        place += size
    head: dict[str, Any] = {
        "saga_type": "Scheduled",
        "state": Data,
        "key": "key",
        "starts_on": Began,
    }
    if draw(st.booleans()):
        head["undo_start"] = compensation(draw, START)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sagas.definition.definitions", Definitions())
        return type("Scheduled", (Orchestrator,), head | body)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    definition: type[Orchestrator]
    script: dict[type[Command], list[Response]]
    actions: list[tuple[float, Cue]]


@st.composite
def schedules(draw: Any) -> Schedule:
    definition = draw(definitions())
    plan = definition.plan
    script = {
        leg.command_class: [*draw(st.lists(answers(leg), max_size=3)), draw(good_answers(leg))]
        for planned in plan.steps.values()
        for leg in (planned.do, planned.undo)
        if leg is not None
    }
    actions = draw(st.lists(st.tuples(DELAYS, operators(list(plan.steps))), max_size=3))
    outsiders = [
        planned.do.on_success
        for planned in plan.steps.values()
        if planned.do and planned.do.on_success and planned.do.reply_key
    ]
    if outsiders:
        told = st.sampled_from(outsiders).map(lambda cls: answered(cls(key="1"), caused=False))
        actions += draw(st.lists(st.tuples(DELAYS, told), max_size=1))
    return Schedule(definition=definition, script=script, actions=actions)


def answers(leg):
    bad = st.builds(says, st.just(leg.on_rejection(key="1")), after_seconds=DELAYS, times=TIMES)
    return st.one_of(
        good_answers(leg),
        good_answers(leg),
        bad,
        st.builds(fails, after_seconds=DELAYS),
        st.builds(refuses, after_seconds=DELAYS),
        st.just(silence()),
    )


def good_answers(leg):
    if leg.on_success is None:
        return st.builds(handles, after_seconds=DELAYS, times=TIMES)
    return st.builds(says, st.just(leg.on_success(key="1")), after_seconds=DELAYS, times=TIMES)


def operators(names: list[str]) -> st.SearchStrategy[Cue]:
    return st.one_of(
        st.sampled_from(names).map(retried),
        st.sampled_from(names).map(skipped),
        st.builds(compensated),
        st.builds(aborted, force=st.booleans()),
    )


@given(schedules())
@THOROUGH
def test_any_schedule_keeps_the_invariants(schedule):
    run = simulate(
        schedule.definition,
        started(Began(key="1")),
        schedule.script,
        actions=schedule.actions,
        max_inputs=300,
    )
    event(run.saga.status)
    check_that_it_ends_or_says_what_to_do(schedule, run)
    check_that_possible_effects_are_undone_and_nothing_else(schedule, run)
    check_that_the_last_stage_is_undone_first(schedule, run)
    check_that_keys_are_stable_and_message_ids_are_not(run)
    check_that_nothing_is_requested_after_the_end(run)
    check_that_events_give_the_state_and_inputs_decide_once(schedule, run)


def check_that_it_ends_or_says_what_to_do(schedule, run):
    state = run.saga.state
    if state.status is Status.NEEDS_INTERVENTION:
        assert all(item.problem and item.advice for item in state.items.values())
        return
    plan = schedule.definition.plan
    legs = {step.name: state.leg(step.name, DO) for stage in plan.stages for step in stage}
    if state.status is Status.COMPLETED:
        assert all(leg.is_done for leg in legs.values())
    else:
        assert state.status in (Status.COMPENSATED, Status.FAILED)
        expected = (SUCCEEDED, SKIPPED, ABANDONED)
        assert all(state.leg(name, UNDO).progress in expected for name in state.undo_plan)
        abandoned = [n for n in state.undo_plan if state.leg(n, UNDO).progress is ABANDONED]
        assert bool(abandoned) == (state.status is Status.FAILED)


def check_that_possible_effects_are_undone_and_nothing_else(schedule, run):
    state, steps = run.saga.state, schedule.definition.plan.steps
    if state.status is not Status.COMPENSATED:
        return
    undone = {
        recorded.step
        for recorded in run.events
        if isinstance(recorded, CompensationSucceeded | CompensationSkipped)
    }
    needed = {name for name in effects(schedule, run) if not steps[name].effect_free}
    assert needed | (steps.keys() & {START}) <= undone
    for place, recorded in enumerate(run.events):
        # Once it is under way it goes on, whatever turns out.
        if isinstance(recorded, CompensationRequested) and recorded.attempt == 1:
            assert recorded.step == START or possible_effect(run.events[:place], recorded.step)


def effects(schedule, run):
    """Steps of which some attempt, as the script has it, is not without effect."""
    sent: Counter[str] = Counter()
    found = set()
    for request in run.sent:
        if isinstance(request, StepRequested):
            responses = schedule.script[
                schedule.definition.plan.steps[request.step].do.command_class
            ]
            response = responses[min(sent[request.step], len(responses) - 1)]
            sent[request.step] += 1
            said_no = response.event is not None and response.event.event_type.startswith(
                "tests.Rejected"
            )
            if not (response.refusal or said_no):
                found.add(request.step)
    return found


def possible_effect(history: list[DomainEvent], step: str) -> bool:
    """Whether some attempt of it was not rejected, or somebody told of its effect."""
    attempts = set()
    for recorded in history:
        match recorded:
            case StepRequested(step=name) if name == step:
                attempts.add(recorded.attempt)
            case StepRejected(step=name) if name == step:
                attempts.discard(recorded.attempt)
            case AnswerSetAside(step=name, succeeded=False) if name == step:
                attempts.discard(recorded.attempt)
            case AnswerSetAside(step=name, succeeded=True) if name == step:
                return True
            case StepSucceeded(step=name) | StepSkipped(step=name) if name == step:
                return True
    return bool(attempts)


def check_that_the_last_stage_is_undone_first(schedule, run):
    steps = schedule.definition.plan.steps
    plans = [e for e in run.events if isinstance(e, CompensationPlanned)]
    if not plans:
        return
    planned = plans[0]
    assert [steps[n].stage for n in planned.steps] == sorted(
        (steps[n].stage for n in planned.steps), reverse=True
    )
    settled = set()
    begun = set()
    for recorded in run.events:
        if isinstance(recorded, CompensationRequested) and recorded.step not in begun:
            begun.add(recorded.step)
            later = {
                n
                for n in planned.steps
                if steps[n].stage > steps[recorded.step].stage and recorded.step in planned.steps
            }
            assert later <= settled | without_effect(run.events)
        elif isinstance(recorded, SETTLED):
            settled.add(recorded.step)


def without_effect(events: list[DomainEvent]) -> set[str]:
    """Taken from the plan, because they turned out to be rejected."""
    return {e.step for e in events if isinstance(e, AnswerSetAside) and not e.succeeded}


def check_that_keys_are_stable_and_message_ids_are_not(run):
    requests = [e for e in run.events if isinstance(e, REQUESTS)]
    ids = [request.message_id for request in requests]
    assert len(ids) == len(set(ids))
    keys: dict[tuple[str, Direction], set[UUID]] = {}
    for request in requests:
        keys.setdefault((request.step, direction_of(request)), set()).add(request.effect_key)
    assert all(len(each) == 1 for each in keys.values())
    assert len(set.union(*keys.values())) == len(keys)
    attempts = [(r.step, direction_of(r), r.attempt) for r in requests]
    assert sorted(attempts) == sorted(
        (name, direction, number)
        for (name, direction), total in Counter(each[:2] for each in attempts).items()
        for number in range(1, total + 1)
    )
    for request in requests:
        if isinstance(request, CompensationRequested) and (request.step, DO) in keys:
            assert {request.undoes} == keys[request.step, DO]


def check_that_nothing_is_requested_after_the_end(run):
    ended = is_backward = False
    late: set[str] = set()
    for recorded in run.events:
        if isinstance(recorded, SagaCompleted | SagaCompensated | SagaFailed):
            assert not ended
            ended, late = True, set()
        elif isinstance(recorded, AnswerSetAside) and recorded.succeeded:
            late.add(recorded.step)
        elif isinstance(recorded, StepRequested):
            assert not ended
            assert not is_backward
        elif isinstance(recorded, REOPENING):
            named = recorded.steps if isinstance(recorded, CompensationPlanned) else [recorded.step]
            assert not ended or set(named) <= late
            ended, is_backward = False, True


def check_that_events_give_the_state_and_inputs_decide_once(schedule, run):
    plan, state = schedule.definition.plan, None
    recorded = []
    for taken in run.inputs:
        events = decided(plan, state, taken)
        assert events == decided(plan, state, taken)
        recorded += events
        for each in events:
            state = evolve(state, stored(each))
        if state.status is not Status.BLOCKED:
            assert decided(plan, state, taken) == []
    assert recorded == run.events
    assert state == run.saga.state
    restored = Saga(run.saga.id)
    restored.from_snapshot(run.saga.to_snapshot())
    assert restored.state == state


def decided(plan: Plan, state: SagaState | None, taken: Input) -> list[DomainEvent]:
    with suppress(ActionNotPossible):
        return decide(plan, state, taken, uniform=lambda least, most: most)
    return []


def stored(new: DomainEvent) -> DomainEvent:
    """As it is when it is read again."""
    return event_types.decode(
        new.event_type,
        new.event_version,
        event_types.encode(new),
        event_id=new.event_id,
        occurred_on=new.occurred_on,
        metadata={},
    )
