"""Lets the messages of an orchestrated saga go wrong, where it sends and gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest import mock

from events.aggregates import EventSourcedAggregate
from events.context import current_context
from events.messages import Command, DomainEvent
from events.recorded_event import RecordedEvent
from events.repository import save_all

from ... import asking, operations, running, sending
from ...asking import can_be_handled_at_once
from ...correlation import SAGA_ID
from ...events import CompensationSucceeded, StepSucceeded
from ...identity import Direction, saga_type_of
from ...inbox import Inbox
from ...instance import Saga
from ...outgoing import REQUESTS, Requested, direction_of, recorded_command
from ...plan import Plan, PlannedLeg
from ...running import Give
from ...step import START
from ..faults import Commit, Kind
from .commands import FaultyBus
from .crashing import Commits
from .injection import Injection, Leg

_START: Leg = (START, Direction.DO)
#: They are of messages that travel: not of a command that is handled in the commit of its request.
_OF_TRAVEL = (Kind.TIMES_OUT, Kind.COMMAND_DUPLICATED, Kind.OVERTAKEN_BY_UNDO)


@contextmanager
def injected(plan: Plan, injection: Injection) -> Iterator[None]:
    commits = Commits(injection)
    seams = _Seams(plan, injection, commits)
    with ExitStack() as stack:
        stack.enter_context(commits.watched())
        for owner, name, replacement in (
            (asking, "recorded_command", seams.recorded_command),
            (asking, "command_bus", FaultyBus(injection, commits, seams.current)),
            (running, "can_be_handled_at_once", seams.can_be_handled_at_once),
            (running, "save_all", seams.save_all),
            (sending, "send_one", seams.send_one),
            (Inbox, "take", seams.taking()),
        ):
            stack.enter_context(mock.patch.object(owner, name, replacement))
        yield


class _Seams:
    """Each has the name of what it takes the place of, and does as that does otherwise."""

    def __init__(self, plan: Plan, injection: Injection, commits: Commits) -> None:
        self._plan = plan
        self._injection = injection
        self._commits = commits
        self._event: Requested | None = None
        self._send_one = sending.send_one
        #: As a worker has loaded it that hangs since then.
        self._outdated: Saga | None = None

    # --- the way out ---

    def recorded_command(self, event: Requested) -> Command:
        """Called right before it is dispatched."""
        is_ours = saga_type_of(current_context().extra.get(SAGA_ID, "")) == self._plan.saga_type
        self._event = event if is_ours else None
        return recorded_command(event)

    def current(self) -> tuple[Leg, int] | None:
        event = self._event
        return None if event is None else (_leg_of(event), event.attempt)

    def can_be_handled_at_once(self, leg: PlannedLeg) -> bool:
        return can_be_handled_at_once(leg) and not any(
            fault.kind in _OF_TRAVEL
            and self._plan.steps[fault.step].legs.get(fault.direction) is leg
            for fault in self._injection.faults
        )

    def send_one(self, recorded: RecordedEvent, load: Callable[[str], Saga], give: Give) -> None:
        if saga_type_of(recorded.aggregate_id) != self._plan.saga_type:
            self._send_one(recorded, load, give)
            return
        event: Requested = recorded.event  # type: ignore[assignment]
        leg, injection = _leg_of(event), self._injection
        if injection.is_known(recorded):
            outdated = self._outdated
            self._send_one(recorded, load if outdated is None else lambda _: outdated, give)
            return
        injection.asked[leg] = event.attempt
        if injection.hits(leg, Kind.TIMES_OUT, attempt=event.attempt):
            return
        if injection.at(leg, Kind.OVERTAKEN_BY_UNDO):
            if injection.hits_first(leg, Kind.OVERTAKEN_BY_UNDO):
                self._outdated = load(recorded.aggregate_id).copy()
                injection.hold(recorded)
            return
        self._send_one(recorded, load, give)
        if injection.hits_first(leg, Kind.TURNED_BACK):
            injection.actions.append(partial(_turn_back, recorded.aggregate_id))
        if injection.hits_first(leg, Kind.COMMAND_DUPLICATED):
            self._send_one(recorded, load, give)
            injection.hold(recorded)

    # --- the way in ---

    def taking(self) -> Callable[[Inbox, Give, RecordedEvent], None]:
        take = Inbox.take

        def take_or_not(inbox: Inbox, give: Give, recorded: RecordedEvent) -> None:
            leg, injection = self._answered(recorded.event), self._injection
            is_ours = inbox.saga_type == self._plan.saga_type
            if leg is None or not is_ours or injection.is_known(recorded):
                take(inbox, give, recorded)
            elif injection.hits(leg, Kind.ANSWER_DELAYED):
                injection.hold(recorded)
            elif injection.hits_first(leg, Kind.ANSWER_REORDERED):
                injection.hold(recorded, for_second_attempt=True)
            else:
                take(inbox, give, recorded)
                if any(
                    injection.hits_first(leg, kind)
                    for kind in (Kind.ANSWER_DUPLICATED, Kind.EVENT_DUPLICATED)
                ):
                    take(inbox, give, recorded)
                    injection.hold(recorded)

        return take_or_not

    def _answered(self, event: DomainEvent) -> Leg | None:
        """By success; refusals are injected where the command is handled."""
        if isinstance(event, self._plan.starts_on):
            return _START
        routes = self._plan.routes.get(type(event), ())
        legs = [(route.step.name, route.direction) for route in routes if route.succeeded]
        wanted = (leg for leg in legs if self._injection.at(leg, *Kind))
        return next(wanted, legs[0] if legs else None)

    # --- what is written ---

    def save_all(self, sagas: Iterable[EventSourcedAggregate], **options: Any) -> None:
        saved = list(sagas)
        for saga in saved:
            if saga_type_of(saga.id) == self._plan.saga_type:
                for event in saga.uncommitted_events:
                    self._note(event)
        save_all(saved, **options)

    def _note(self, event: DomainEvent) -> None:
        if isinstance(event, REQUESTS):
            self._commits.note(Commit.REQUEST, _leg_of(event))
        elif isinstance(event, StepSucceeded):
            self._commits.note(Commit.ANSWER, (event.step, Direction.DO))
        elif isinstance(event, CompensationSucceeded):
            self._commits.note(Commit.ANSWER, (event.step, Direction.UNDO))


def _leg_of(event: Requested) -> Leg:
    return event.step, direction_of(event)


def _turn_back(saga_id: str) -> None:
    operations.compensate(saga_id, operator="fault matrix", reason="turned back on purpose")
