"""System checks of definitions: what would leave a saga stuck, or an effect without an undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register

from events.aggregates import EventSourcedAggregate, apply_method_name
from events.command_bus import command_bus
from events.messages import DomainEvent
from events.registry import event_types

from .identity import Direction
from .instance import Saga
from .plan import Plan, PlannedLeg, PlannedStep
from .registry import Definitions, definitions

Apps = Sequence[AppConfig] | None

_SUFFIX = {Direction.DO: "", Direction.UNDO: "'s compensation"}


@register
def check_definitions(
    app_configs: Apps, known: Definitions = definitions, **kwargs: Any
) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    emitted = known_emitted_events()
    for plan in known:
        messages += [
            *_steps_without_undo(plan),
            *_undo_after_the_pivot(plan),
            *_missing_timeouts(plan),
            *_commands_without_handler(plan),
            *_answers_that_nobody_emits(plan, emitted),
            *_starts_that_nobody_emits(plan, emitted),
        ]
    return messages


def known_emitted_events() -> set[type[DomainEvent]]:
    """Those that some aggregate applies or ignores: no other can be saved by one."""
    aggregates = set(_subclasses(EventSourcedAggregate)) - {Saga, *_subclasses(Saga)}
    return {
        cls
        for cls in event_types
        if any(
            cls in aggregate.ignored_events or hasattr(aggregate, apply_method_name(cls))
            for aggregate in aggregates
        )
    }


def _subclasses(cls: type[EventSourcedAggregate]) -> Iterator[type[EventSourcedAggregate]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _name(plan: Plan, step: PlannedStep) -> str:
    return f"{plan.definition.__qualname__}.{step.name}"


def _legs(plan: Plan) -> Iterator[tuple[str, PlannedLeg]]:
    for step in plan.steps.values():
        for direction, leg in step.legs.items():
            yield f"{_name(plan, step)}{_SUFFIX[direction]}", leg


def _steps_without_undo(plan: Plan) -> Iterator[CheckMessage]:
    for step in plan.steps.values():
        if step.undo is not None or step.effect_free or step.pivot:
            continue
        if not step.retriable:
            yield Error(
                f"{_name(plan, step)} has no undo.",
                hint="Give it a compensation, or say what it is: pivot=True, retriable=True (goes "
                "on until it succeeds) or effect_free=True.",
                obj=plan.definition,
                id="sagas.E001",
            )
        elif culprit := _may_still_fail(plan, step):
            yield Error(
                f"{_name(plan, step)} has no undo, and {culprit.name}, which comes with it or "
                "later, can still turn the saga back.",
                hint="Give it a compensation, or let it come after the pivot.",
                obj=plan.definition,
                id="sagas.E001",
            )


def _may_still_fail(plan: Plan, step: PlannedStep) -> PlannedStep | None:
    """A step that can turn the saga back while the effect of this one is there."""
    pivot_stage = _pivot_stage(plan)
    for stage in plan.stages[step.stage :]:
        for other in stage:
            is_past = pivot_stage is not None and other.stage > pivot_stage
            if other is not step and not is_past and not other.retriable:
                return other
    return None


def _pivot_stage(plan: Plan) -> int | None:
    return next((step.stage for step in plan.steps.values() if step.pivot), None)


def _undo_after_the_pivot(plan: Plan) -> Iterator[CheckMessage]:
    pivot_stage = _pivot_stage(plan)
    for step in plan.steps.values():
        if pivot_stage is not None and step.stage > pivot_stage and step.undo is not None:
            yield Error(
                f"{_name(plan, step)} has a compensation, but comes after the pivot, from where "
                "the saga only goes forward.",
                hint="Move it before the pivot, or take away its compensation and set "
                "retriable=True.",
                obj=plan.definition,
                id="sagas.E002",
            )


def _missing_timeouts(plan: Plan) -> Iterator[CheckMessage]:
    for name, leg in _legs(plan):
        if leg.timeout_seconds is None:
            yield Error(
                f"{name} has no time-out: an answer that never comes would stop the saga for ever.",
                hint="Set timeout_seconds.",
                obj=plan.definition,
                id="sagas.E003",
            )


def _commands_without_handler(plan: Plan) -> Iterator[CheckMessage]:
    handled = set(command_bus)
    for name, leg in _legs(plan):
        if leg.command_class not in handled:
            yield Error(
                f"{name} sends {leg.command_class.command_type}, which no handler is registered "
                "for.",
                hint="Decorate one with @handles in a module that your DomainAppConfig imports.",
                obj=plan.definition,
                id="sagas.E004",
            )


def _answers_that_nobody_emits(
    plan: Plan, emitted: set[type[DomainEvent]]
) -> Iterator[CheckMessage]:
    for name, leg in _legs(plan):
        for cls in (leg.on_success, leg.on_rejection):
            if cls is not None and cls not in emitted:
                yield Warning(
                    f"{name} waits for {cls.event_type}, which no aggregate has.",
                    hint=f"Let an aggregate add it, with {apply_method_name(cls)}() or in "
                    "ignored_events; or wait for what is really emitted.",
                    obj=plan.definition,
                    id="sagas.W001",
                )


def _starts_that_nobody_emits(
    plan: Plan, emitted: set[type[DomainEvent]]
) -> Iterator[CheckMessage]:
    cls = plan.starts_on
    if issubclass(cls, DomainEvent) and cls not in emitted:
        yield Warning(
            f"{plan.definition.__qualname__} starts on {cls.event_type}, which no aggregate has.",
            hint=f"Let an aggregate add it, with {apply_method_name(cls)}() or in "
            "ignored_events; or start on what is really emitted.",
            obj=plan.definition,
            id="sagas.W002",
        )
