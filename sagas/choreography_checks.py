"""System checks of choreographies: what none of their parts can see, because it is between them."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register

from events.aggregates import apply_method_name
from events.command_bus import command_bus
from events.messages import DomainEvent

from .checks import known_emitted_events
from .choreography import Choreographies, choreographies
from .process import EventTypes, Process, Reaction

Apps = Sequence[AppConfig] | None
EventType = type[DomainEvent]


@register
def check_choreographies(
    app_configs: Apps, known: Choreographies = choreographies, **kwargs: object
) -> list[CheckMessage]:
    emitted = known_emitted_events()
    return [
        message
        for process in known
        for message in (
            *_done_and_never_undone(process),
            *_given_up_and_never_undone(process),
            *_awaited_and_never_emitted(process),
            *_emitted_and_never_awaited(process),
            *_going_round_for_ever(process),
            *_without_deadline(process),
            *_deadlines_that_ask_others(process),
            *_emitted_by_no_aggregate(process, emitted),
        )
    ]


def _name(process: Process, reaction: Reaction) -> str:
    return f"{process.definition.__qualname__}.{reaction.name}"


def _types(classes: Iterable[EventType]) -> list[EventType]:
    return sorted(classes, key=lambda cls: cls.event_type)


def _error(process: Process, number: int, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, obj=process.definition, id=f"sagas.E{number:03}")


# --- the graph ---


def _emitted(process: Process) -> EventTypes:
    return frozenset().union(*(each.emits for each in process.reactions))


def _follow_ups(process: Process, first: EventType) -> list[Reaction]:
    """All reactions that this event can lead to, at any distance."""
    reached: list[Reaction] = []
    events = [first]
    while events:
        cls = events.pop()
        new = [each for each in process.reactions if cls in each.events and each not in reached]
        reached += new
        events += [emitted for each in new for emitted in each.emits]
    return reached


def _steps_before(process: Process, step: Reaction) -> list[Reaction]:
    """Those that have succeeded when this one is begun."""
    before: list[Reaction] = []
    awaiting = [step]
    while awaiting:
        events = awaiting.pop().events
        new = [
            each
            for each in process.steps
            if process.successes(each) & events and each not in before and each is not step
        ]
        before += new
        awaiting += new
    return before


def _ends(process: Process) -> EventTypes:
    of_undos = (each.emits for each in process.reactions if each.undoes)
    ends = process.completed_by | process.turned_back_by | process.ends
    return ends.union(*of_undos)


# --- what is wrong ---


def _done_and_never_undone(process: Process) -> Iterator[CheckMessage]:
    for step in process.steps:
        for failure in _types(step.emits & process.failures):
            undoing = _follow_ups(process, failure)
            for done in _steps_before(process, step):
                undos = process.undos(done)
                is_effect = bool(process.successes(done) - process.turned_back_by)
                if is_effect and not any(each in undoing for each in undos):
                    yield _error(
                        process,
                        5,
                        f"{failure.event_type} leaves what {_name(process, done)} has done: "
                        "nothing that follows undoes it.",
                        "Let a reaction that comes of it undo that: undoes=[...].",
                    )


def _given_up_and_never_undone(process: Process) -> Iterator[CheckMessage]:
    for step in process.steps:
        if step.otherwise is None or process.undos(step):
            continue
        yield _error(
            process,
            6,
            f"{_name(process, step)} can be given up when it may have had an effect, which nothing "
            "undoes.",
            "Add a reaction that undoes it, or leave the deadline to operators: no otherwise.",
        )


def _awaited_and_never_emitted(process: Process) -> Iterator[CheckMessage]:
    caused = _emitted(process) | process.inputs | {process.starts_on}
    for reaction in process.reactions:
        for cls in _types(reaction.events - caused):
            yield _error(
                process,
                7,
                f"{_name(process, reaction)} waits for {cls.event_type}, which no reaction emits.",
                "Add it to the emits of the reaction that causes it, or to the inputs.",
            )


def _emitted_and_never_awaited(process: Process) -> Iterator[CheckMessage]:
    awaited = frozenset().union(*(each.events for each in process.reactions))
    for cls in _types(_emitted(process) - awaited - _ends(process)):
        yield _error(
            process,
            8,
            f"Nothing in {process.definition.__qualname__} reacts to {cls.event_type}, and it is "
            "no end.",
            "Add a reaction, or declare it as one of the ends.",
        )


def _going_round_for_ever(process: Process) -> Iterator[CheckMessage]:
    ends = _ends(process)
    for cls in _types(_emitted(process) | {process.starts_on}):
        reactions = _follow_ups(process, cls)
        reached = frozenset({cls}).union(*(each.emits for each in reactions))
        is_dead_end = any(
            not any(other in each.events for each in process.reactions) for other in reached
        )
        if not reached & ends and not is_dead_end:
            yield _error(
                process,
                9,
                f"From {cls.event_type} on, {process.definition.__qualname__} goes round for ever: "
                "no end can be reached.",
                "Give the circle a way out.",
            )


def _without_deadline(process: Process) -> Iterator[CheckMessage]:
    for reaction in process.reactions:
        if reaction.within_seconds is None:
            yield _error(
                process,
                10,
                f"{_name(process, reaction)} has no deadline: an answer that never comes would "
                "stop the process, and nobody would know.",
                "Set within_seconds.",
            )


def _deadlines_that_ask_others(process: Process) -> Iterator[CheckMessage]:
    for reaction in process.reactions:
        command = (
            typing.get_type_hints(reaction.otherwise).get("return") if reaction.otherwise else None
        )
        if command in set(command_bus) and command_bus.asks_first(command):
            yield _error(
                process,
                11,
                f"{_name(process, reaction)} turns back with {command.command_type}, whose handler "
                "asks another system first: deadlines are acted on in a transaction.",
                "Turn back with a command that only records it, and react to its event.",
            )


def _emitted_by_no_aggregate(process: Process, emitted: set[EventType]) -> Iterator[CheckMessage]:
    for cls in _types(process.events - emitted):
        yield Warning(
            f"{process.definition.__qualname__} knows {cls.event_type}, which no aggregate has.",
            hint=f"Let an aggregate add it, with {apply_method_name(cls)}() or in "
            "ignored_events; or wait for what is really emitted.",
            obj=process.definition,
            id="sagas.W003",
        )
