"""What can go wrong in a choreographed process, case by case, from its declared reactions alone.

As `faults`, with a reaction in the place of a step. That a step says no is an event here, which the
declaration can't make up: what reacts to failures alone is left to tests that cause one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..identity import Direction
from ..process import Process, Reaction
from ..state import Status
from .faults import Asks, Commit, Fault, Kind, crashes


def faults_of_process(process: Process, asks: Asks) -> list[Fault]:
    """Of one that completes when nothing goes wrong."""
    steps = _steps_of_success(process)
    faults = [fault for step in steps for fault in _of_step(step, asks)]
    turning = [step for step in steps if _turns_back(step)]
    for undo in process.reactions if turning else ():
        if undo.undoes and undo.events & process.turned_back_by:
            faults += _of_undo(undo, _timed_out(turning[-1]), asks)
    return faults


def _steps_of_success(process: Process) -> list[Reaction]:
    """Those that are reached when nothing fails."""
    reached = {process.starts_on}
    found: list[Reaction] = []
    waiting = list(process.steps)
    while ready := [step for step in waiting if step.events & reached]:
        found += ready
        waiting = [step for step in waiting if step not in ready]
        reached |= {cls for step in ready for cls in process.successes(step)}
    return found


def _turns_back(step: Reaction) -> bool:
    """When it has taken too long."""
    return step.within_seconds is not None and step.otherwise is not None


def _timed_out(step: Reaction) -> Fault:
    return Fault(step=step.name, kind=Kind.TIMES_OUT, ends_in=Status.COMPENSATED)


def _of_step(step: Reaction, asks: Asks) -> Iterator[Fault]:
    fault = Fault(step=step.name, kind=Kind.EVENT_DELAYED, ends_in=Status.COMPLETED)
    if _turns_back(step):
        yield _timed_out(step)
        yield replace(fault, ends_in=Status.COMPENSATED)
    else:
        yield fault
    yield from _of_either(step, fault, asks)


def _of_undo(undo: Reaction, turn: Fault, asks: Asks) -> Iterator[Fault]:
    fault = Fault(
        step=undo.name,
        direction=Direction.UNDO,
        kind=Kind.EVENT_DELAYED,
        ends_in=turn.ends_in,
        turn=turn,
    )
    yield fault
    yield from _of_either(undo, fault, asks)


def _of_either(reaction: Reaction, fault: Fault, asks: Asks) -> Iterator[Fault]:
    if reaction.retry.attempts > 1:
        yield replace(fault, kind=Kind.FAILS, once=True)
        if any(asks(command) for command in reaction.commands):
            yield replace(fault, kind=Kind.BREAKS_OFF, once=True)
    yield replace(fault, kind=Kind.EXECUTED_TWICE)
    yield replace(fault, kind=Kind.EVENT_DUPLICATED)
    yield from crashes(fault, Commit.EFFECTS)
