"""From a definition class to its plan. Whatever can't work is refused here, by class and step."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from events.codec import compile_codec
from events.exceptions import RegistrationError
from events.messages import DomainEvent

from .building import command_builder, kinds_of, required_fields
from .declarations import (
    check_answers,
    check_flags,
    check_message,
    declared_stages,
    is_frozen,
)
from .plan import Plan, PlannedLeg, PlannedStep, Route
from .step import START, Compensation, LateSuccess, Step


def compile_plan(definition: Any, saga_type: str) -> Plan:
    """Raises RegistrationError, which names the class and the step."""
    try:
        return _Compiler(definition).plan(saga_type)
    except RegistrationError as error:
        raise RegistrationError(f"{definition.__qualname__}{error}") from None


class _Compiler:
    def __init__(self, definition: Any) -> None:
        self.definition = definition
        self.state_class: Any = getattr(definition, "state", None)
        self.stages = declared_stages(definition)

    def plan(self, saga_type: str) -> Plan:
        self._check_head(saga_type)
        stages = tuple(tuple(self._steps(place)) for place in range(len(self.stages)))
        undo_stages = (*reversed(stages), *self._start())
        steps = {step.name: step for stage in reversed(undo_stages) for step in stage}
        _check_pivot(stages)
        routes = _routes(steps)
        starts_on = self.definition.starts_on
        if starts_on in routes:
            raise RegistrationError(f": {starts_on.__name__} starts it and answers a step of it")
        return Plan(
            saga_type=saga_type,
            version=self.definition.version,
            fingerprint=_fingerprint(undo_stages),
            definition=self.definition,
            starts_on=starts_on,
            key=self.definition.key,
            begin=self.definition.begin,
            state_class=self.state_class,
            state_codec=compile_codec(self.state_class),
            stages=stages,
            undo_stages=undo_stages,
            steps=MappingProxyType(steps),
            routes=MappingProxyType(routes),
        )

    def _check_head(self, saga_type: str) -> None:
        definition, state = self.definition, self.state_class
        if not isinstance(saga_type, str) or not saga_type or not saga_type.isidentifier():
            raise RegistrationError(f".saga_type: {saga_type!r} has to be a name without spaces")
        if type(definition.version) is not int or definition.version < 1:
            raise RegistrationError(f".version is {definition.version!r}, not 1, 2, 3, ...")
        if not (isinstance(state, type) and dataclasses.is_dataclass(state)):
            raise RegistrationError(".state: set it to the dataclass of the typed state")
        if not is_frozen(state):
            raise RegistrationError(f".state: {state.__name__} has to be a frozen dataclass")
        key = getattr(definition, "key", None)
        if key not in kinds_of(state):
            raise RegistrationError(f".key: {key!r} is no field of {state.__name__}")
        if kinds_of(state)[key].bare not in (str, UUID):
            raise RegistrationError(f".key: {key} has to be a str or a UUID")
        check_message(".starts_on", getattr(definition, "starts_on", None))
        if not self.stages:
            raise RegistrationError(": declare at least one step")
        if definition.begins_by_name():
            self._check_begin()

    def _check_begin(self) -> None:
        message = self.definition.starts_on
        given, wanted = kinds_of(message), kinds_of(self.state_class)
        missing = required_fields(self.state_class) - given.keys() - {self.definition.key}
        if missing:
            raise RegistrationError(
                f".state: {message.__name__} has no {', '.join(sorted(missing))}: "
                "give these a default, or write begin(cls, message, key)"
            )
        for name in given.keys() & wanted.keys():
            if given[name].bare != wanted[name].bare or (
                given[name].optional and not wanted[name].optional
            ):
                raise RegistrationError(
                    f".state: {name} is a {given[name].bare!r} in {message.__name__}, but a "
                    f"{wanted[name].bare!r} in {self.state_class.__name__}"
                )

    def _steps(self, place: int) -> Iterator[PlannedStep]:
        known = self._known_before(place)
        for name, step in self.stages[place].items():
            try:
                yield self._step(name, place, step, known)
            except RegistrationError as error:
                raise RegistrationError(f".{name}: {error}") from None

    def _step(self, name: str, place: int, step: Step, known: set[str]) -> PlannedStep:
        check_flags(step)
        return PlannedStep(
            name=name,
            stage=place,
            do=self._leg(step, known),
            undo=self._undo(step, known),
            learns=MappingProxyType(self._learned(step)),
            pivot=step.pivot,
            retriable=step.retriable,
            effect_free=step.effect_free,
            late_success=LateSuccess(step.late_success),
        )

    def _start(self) -> Iterator[tuple[PlannedStep]]:
        """What undoes the start, as a step that is done already."""
        undo = self.definition.undo_start
        if undo is None:
            return
        try:
            leg = self._compensation(undo, None, set())
        except RegistrationError as error:
            raise RegistrationError(f".undo_start: {error}") from None
        yield (
            PlannedStep(
                name=START,
                stage=-1,
                do=None,
                undo=leg,
                learns=MappingProxyType({}),
                pivot=False,
                retriable=False,
                effect_free=False,
                late_success=LateSuccess.RECORD,
            ),
        )

    def _undo(self, step: Step, known: set[str]) -> PlannedLeg | None:
        if step.compensation is None:
            return None
        try:
            return self._compensation(step.compensation, step.timeout_seconds, known)
        except RegistrationError as error:
            raise RegistrationError(f"compensation: {error}") from None

    def _compensation(
        self, undo: Any, timeout_seconds: float | None, known: set[str]
    ) -> PlannedLeg:
        if isinstance(undo, type):
            undo = Compensation(command=undo, timeout_seconds=timeout_seconds)
        if not isinstance(undo, Compensation):
            raise RegistrationError(f"{undo!r} is neither a Compensation nor a command class")
        return self._leg(undo, known)

    def _leg(self, declared: Step | Compensation, known: set[str]) -> PlannedLeg:
        check_answers(declared)
        command_class, build = command_builder(declared.command, self.state_class, known)
        return PlannedLeg(
            command_class=command_class,
            build=build,
            on_success=declared.on_success,
            on_rejection=declared.on_rejection,
            timeout_seconds=declared.timeout_seconds,
            retry=declared.retry,
            reply_key=declared.reply_key,
            holds_back_earlier=getattr(declared, "holds_back_earlier", False),
        )

    def _learned(self, step: Step) -> dict[str, str]:
        learns = step.learns if isinstance(step.learns, Mapping) else {x: x for x in step.learns}
        if not learns:
            return {}
        if step.on_success is None:
            raise RegistrationError("learns: only an event can tell something; set on_success")
        told, wanted = kinds_of(step.on_success), kinds_of(self.state_class)
        for source, target in learns.items():
            if source not in told:
                raise RegistrationError(f"learns: {step.on_success.__name__} has no {source}")
            if target not in wanted:
                raise RegistrationError(f"learns: {self.state_class.__name__} has no {target}")
            if told[source].bare != wanted[target].bare or (
                told[source].optional and not wanted[target].optional
            ):
                raise RegistrationError(
                    f"learns: {source} of {step.on_success.__name__} doesn't fit {target} of "
                    f"{self.state_class.__name__}"
                )
        return dict(learns)

    def _known_before(self, place: int) -> set[str]:
        """Fields of the state that are not None once all earlier stages are done."""
        return {
            target
            for stage in self.stages[:place]
            for step in stage.values()
            if step.on_success is not None
            for source, target in self._learned(step).items()
            if not kinds_of(step.on_success)[source].optional
        }


def _check_pivot(stages: tuple[tuple[PlannedStep, ...], ...]) -> None:
    pivots = [step for stage in stages for step in stage if step.pivot]
    if len(pivots) > 1:
        raise RegistrationError(f".{pivots[1].name}: {pivots[0].name} is the pivot already")
    if pivots and len(stages[pivots[0].stage]) > 1:
        raise RegistrationError(
            f".{pivots[0].name}: the pivot has to stand alone, because the steps beside it could "
            "fail when there is no way back any more"
        )


def _routes(steps: Mapping[str, PlannedStep]) -> dict[type[DomainEvent], tuple[Route, ...]]:
    routes: dict[type[DomainEvent], tuple[Route, ...]] = {}
    for step in steps.values():
        for direction, leg in step.legs.items():
            for cls, succeeded in ((leg.on_success, True), (leg.on_rejection, False)):
                if cls is not None:
                    route = Route(step, direction, succeeded)
                    routes[cls] = (*routes.get(cls, ()), route)
    for cls, several in routes.items():
        if len(several) > 1 and any(route.reply_key is not None for route in several):
            names = " and ".join(sorted({route.step.name for route in several}))
            raise RegistrationError(
                f": {cls.__name__} answers {names}, which its key can't tell apart: "
                "leave out reply_key, so that the cause does"
            )
    return routes


def _fingerprint(stages: tuple[tuple[PlannedStep, ...], ...]) -> str:
    text = json.dumps([[_outline(step) for step in stage] for stage in stages])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _outline(step: PlannedStep) -> list[Any]:
    flags = [step.pivot, step.retriable, step.effect_free]
    return [step.name, _leg_outline(step.do), _leg_outline(step.undo), dict(step.learns), flags]


def _leg_outline(leg: PlannedLeg | None) -> list[Any]:
    if leg is None:
        return []
    answers = [cls and cls.event_type for cls in (leg.on_success, leg.on_rejection)]
    return [leg.command_class.command_type, *answers]
