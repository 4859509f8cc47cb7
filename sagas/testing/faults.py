"""What can go wrong in a saga, case by case, from its declaration alone. `matrix` makes it happen.

A fault of an undo comes with one that turns the saga back, its `turn`. What the declaration rules
out is left out: nothing is lost between a command and its answer where both are one commit, and no
undo is needed of what only goes forward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from events.messages import Command, DomainEvent

from ..identity import Direction
from ..plan import Plan, PlannedLeg, PlannedStep
from ..state import Status
from ..step import START, LateSuccess

DO, UNDO = Direction.DO, Direction.UNDO

#: Whether the handler of a command asks another system first, whose part no transaction undoes.
Asks = Callable[[type[Command]], bool]


class Kind(StrEnum):
    #: The command is refused: definitely no effect.
    REJECTED = "rejected"
    #: Its handler raises an error.
    FAILS = "fails"
    #: The other system has acted, and then an error is raised.
    BREAKS_OFF = "breaks_off"
    #: The command is not handled in time, nor later.
    TIMES_OUT = "times_out"
    #: It is handled again, as if nobody remembered the first time: one effect is expected.
    EXECUTED_TWICE = "executed_twice"
    #: The request is read twice.
    COMMAND_DUPLICATED = "command_duplicated"
    #: A worker has taken the command, and hangs until its undo is done: then it goes on.
    OVERTAKEN_BY_UNDO = "overtaken_by_undo"
    #: What starts the saga, or a step of a choreography, is read twice.
    EVENT_DUPLICATED = "event_duplicated"
    #: It comes when nothing else is left to come.
    EVENT_DELAYED = "event_delayed"
    ANSWER_DUPLICATED = "answer_duplicated"
    #: The answers come when nobody waits for them any more.
    ANSWER_DELAYED = "answer_delayed"
    #: An operator turns the saga back while the answer is on its way.
    TURNED_BACK = "turned_back"
    #: The first attempt's answer comes after that of the second.
    ANSWER_REORDERED = "answer_reordered"
    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"


class Commit(StrEnum):
    """That records the request, what the handler of the command did, that the saga knows of it. One
    commit can be more than one of these; the request of a later step is in that of the answer
    before it."""

    REQUEST = "request"
    EFFECTS = "effects"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Its text is its name: `pay.fails_once`, `reserve.undo.crash_after_effects`."""

    step: str
    kind: Kind
    #: How the saga has to end.
    ends_in: Status
    direction: Direction = DO
    #: Only the first attempt is hit.
    once: bool = False
    #: Of a crash.
    commit: Commit | None = None
    turn: Fault | None = None

    def __str__(self) -> str:
        leg = self.step if self.direction is DO else f"{self.step}.undo"
        what = f"{self.kind}_{self.commit}" if self.commit else str(self.kind)
        return f"{leg}.{what}{'_once' if self.once else ''}"


def crashes(fault: Fault, *commits: Commit) -> Iterator[Fault]:
    for commit in commits:
        for kind in (Kind.CRASH_BEFORE, Kind.CRASH_AFTER):
            yield replace(fault, kind=kind, commit=commit)


def faults_of(plan: Plan, asks: Asks) -> list[Fault]:
    """Of an orchestrated saga that completes when nothing goes wrong."""
    return list(_Faults(plan, asks).all())


class _Faults:
    def __init__(self, plan: Plan, asks: Asks) -> None:
        self.plan = plan
        self.asks = asks
        pivots = [step.stage for stage in plan.stages for step in stage if step.pivot]
        self.pivot_stage = min(pivots, default=len(plan.stages))

    def all(self) -> Iterator[Fault]:
        if issubclass(self.plan.starts_on, DomainEvent):
            yield Fault(step=START, kind=Kind.EVENT_DUPLICATED, ends_in=Status.COMPLETED)
        for stage in self.plan.stages:
            for step in stage:
                yield from self._of_doing(step)
        for stage in self.plan.undo_stages:
            for step in stage:
                if step.undo is not None and (turn := self._turn(step)) is not None:
                    yield from self._of_undoing(step, step.undo, turn)

    # --- doing ---

    def _of_doing(self, step: PlannedStep) -> Iterator[Fault]:
        leg = step.leg(DO)
        fault = Fault(step=step.name, kind=Kind.FAILS, ends_in=Status.COMPLETED)
        if self._must_succeed(step):
            yield replace(fault, kind=Kind.REJECTED, once=True)
        else:
            rejected = self._end_after(step, may_have_effect=False)
            lost = self._end_after(step, may_have_effect=True)
            yield replace(fault, kind=Kind.REJECTED, ends_in=rejected)
            yield replace(fault, ends_in=lost)
            if self.asks(leg.command_class):
                yield replace(fault, kind=Kind.BREAKS_OFF, ends_in=lost)
            if leg.timeout_seconds is not None:
                yield replace(fault, kind=Kind.TIMES_OUT, ends_in=lost)
                yield from self._of_late_answers(step, leg, fault)
        yield from self._of_either(leg, fault, retries=self._retries(step, leg))
        yield from crashes(fault, *self._commits(leg, has_request=step.stage == 0))

    def _of_late_answers(self, step: PlannedStep, leg: PlannedLeg, fault: Fault) -> Iterator[Fault]:
        late = replace(fault, ends_in=self._end_after_late_success(step))
        if leg.on_success is not None:
            yield replace(late, kind=Kind.ANSWER_DELAYED)
            yield self._turned_back(step)
        if step.undo is not None and self.asks(leg.command_class):
            yield replace(late, kind=Kind.OVERTAKEN_BY_UNDO)

    def _must_succeed(self, step: PlannedStep) -> bool:
        return step.retriable or step.stage > self.pivot_stage

    def _retries(self, step: PlannedStep, leg: PlannedLeg) -> bool:
        return self._must_succeed(step) or leg.retry.attempts > 1

    def _end_after(self, failed: PlannedStep, *, may_have_effect: bool) -> Status:
        """An operator is needed where something has no undo."""
        begun = [step for stage in self.plan.stages[: failed.stage + 1] for step in stage]
        left = [
            step
            for step in begun
            if step.undo is None
            and not step.effect_free
            and (may_have_effect or step is not failed)
        ]
        return Status.NEEDS_INTERVENTION if left else Status.COMPENSATED

    def _end_after_late_success(self, step: PlannedStep) -> Status:
        if step.pivot and step.undo is None:
            return Status.COMPLETED  # an operator was called, and needn't do anything now
        if step.late_success is LateSuccess.INTERVENE and not step.effect_free:
            return Status.NEEDS_INTERVENTION
        return self._end_after(step, may_have_effect=True)

    # --- undoing ---

    def _turn(self, step: PlannedStep) -> Fault | None:
        """Lets the step be done, and then undone. None where the saga only goes forward then."""
        for stage in self.plan.stages[step.stage + 1 :]:
            for later in stage:
                if not self._must_succeed(later):
                    end = self._end_after(later, may_have_effect=False)
                    return Fault(step=later.name, kind=Kind.REJECTED, ends_in=end)
        if step.do is None or self._must_succeed(step):
            return None
        if step.do.on_success is not None:
            return self._turned_back(step)
        end = self._end_after(step, may_have_effect=True)
        return Fault(step=step.name, kind=Kind.FAILS, ends_in=end)

    def _turned_back(self, step: PlannedStep) -> Fault:
        end = self._end_after(step, may_have_effect=True)
        return Fault(step=step.name, kind=Kind.TURNED_BACK, ends_in=end)

    def _of_undoing(self, step: PlannedStep, undo: PlannedLeg, turn: Fault) -> Iterator[Fault]:
        fault = Fault(
            step=step.name, direction=UNDO, kind=Kind.FAILS, ends_in=turn.ends_in, turn=turn
        )
        yield from self._of_either(undo, fault, retries=undo.retry.attempts > 1)
        yield from crashes(fault, *self._commits(undo, has_request=True))

    # --- both ---

    def _of_either(self, leg: PlannedLeg, fault: Fault, *, retries: bool) -> Iterator[Fault]:
        """After which the saga goes on as if nothing had happened."""
        asks, answers = self.asks(leg.command_class), leg.on_success is not None
        if retries:
            yield replace(fault, kind=Kind.FAILS, once=True)
            if asks:
                yield replace(fault, kind=Kind.BREAKS_OFF, once=True)
            if leg.timeout_seconds is not None:
                yield replace(fault, kind=Kind.TIMES_OUT, once=True)
                if answers:
                    yield replace(fault, kind=Kind.ANSWER_REORDERED)
        yield replace(fault, kind=Kind.EXECUTED_TWICE)
        yield replace(fault, kind=Kind.COMMAND_DUPLICATED)
        if answers:
            yield replace(fault, kind=Kind.ANSWER_DUPLICATED)

    def _commits(self, leg: PlannedLeg, *, has_request: bool) -> Iterator[Commit]:
        if has_request:
            yield Commit.REQUEST
        if leg.on_success is not None or self.asks(leg.command_class):
            yield Commit.EFFECTS  # otherwise the saga knows of them in the same commit
        yield Commit.ANSWER
