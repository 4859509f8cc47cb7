"""Lets the reactions of a choreographed process go wrong, and what they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from events.delivery.context import current_delivery
from events.recorded_event import RecordedEvent

from ... import reacting
from ...identity import Direction
from ...process import Process, Reaction
from ...reacting import Reactor
from ..faults import Kind
from .commands import FaultyBus
from .crashing import Commits
from .injection import Injection, Leg


@contextmanager
def injected(process: Process, injection: Injection) -> Iterator[None]:
    commits = Commits(injection)
    seams = _Seams(process, injection)
    bus = FaultyBus(injection, commits, seams.current)
    with ExitStack() as stack:
        stack.enter_context(commits.watched())
        stack.enter_context(mock.patch.object(reacting, "command_bus", bus))
        stack.enter_context(mock.patch.object(Reactor, "__call__", seams.reacting()))
        yield


class _Seams:
    def __init__(self, process: Process, injection: Injection) -> None:
        self._process = process
        self._injection = injection
        self._leg: Leg | None = None

    def current(self) -> tuple[Leg, int] | None:
        return None if self._leg is None else (self._leg, current_delivery().attempt)

    def reacting(self) -> Callable[[Reactor, RecordedEvent], None]:
        react = Reactor.__call__

        def react_or_not(reactor: Reactor, recorded: RecordedEvent) -> None:
            self._leg, injection = self._leg_of(reactor), self._injection
            if self._leg is None or injection.is_known(recorded):
                react(reactor, recorded)
            elif not _acts(reactor.reaction, recorded) or injection.hits(self._leg, Kind.TIMES_OUT):
                return
            elif injection.hits(self._leg, Kind.EVENT_DELAYED):
                injection.hold(recorded)
            else:
                react(reactor, recorded)
                if injection.hits_first(self._leg, Kind.EVENT_DUPLICATED):
                    react(reactor, recorded)
                    injection.hold(recorded)

        return react_or_not

    def _leg_of(self, reactor: Reactor) -> Leg | None:
        if reactor.process.saga_type != self._process.saga_type:
            return None
        reaction = reactor.reaction
        return reaction.name, Direction.UNDO if reaction.undoes else Direction.DO


def _acts(reaction: Reaction, recorded: RecordedEvent) -> bool:
    """Some undos find nothing to undo, or not yet."""
    return reaction.react(recorded) is not None
