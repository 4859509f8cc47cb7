"""Commands of steps: from a command class filled by name, or from a function. For `compiling`."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Collection
from functools import cache
from typing import Annotated, Any, Union
from uuid import UUID

from events.codec import resolved_annotations
from events.exceptions import RegistrationError
from events.messages import Command
from events.registry import command_types

from .plan import Build
from .step import CommandSource, Effect

_EFFECT_FIELDS = {"saga_id": str, "effect_key": UUID, "undoes": UUID}


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A type without its limits, and whether None is one of its values."""

    bare: Any
    optional: bool

    @classmethod
    def of(cls, annotation: Any) -> Kind:
        optional = False
        while True:
            origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
            if origin is Annotated:
                annotation = arguments[0]
            elif origin in (Union, types.UnionType) and types.NoneType in arguments:
                optional = True
                annotation = next(each for each in arguments if each is not types.NoneType)
            else:
                return cls(annotation, optional)


def _kinds_of(cls: Any) -> dict[str, Kind]:
    hints = resolved_annotations(cls)
    return {each.name: Kind.of(hints[each.name]) for each in dataclasses.fields(cls)}


#: Of the fields of a dataclass, by name.
kinds_of: Callable[[type], dict[str, Kind]] = cache(_kinds_of)


def required_fields(cls: type) -> set[str]:
    missing = dataclasses.MISSING
    return {
        each.name
        for each in dataclasses.fields(cls)
        if each.init and each.default is missing and each.default_factory is missing
    }


def command_builder(
    source: CommandSource, state_class: type, known: Collection[str]
) -> tuple[type[Command], Build]:
    """`known` names the fields of the state that earlier steps have learned. Raises
    RegistrationError."""
    if isinstance(source, type):
        return _registered(source), _filled_by_name(source, state_class, known)
    if not callable(source):
        raise RegistrationError(f"{source!r} is neither a command class nor a function")
    return _returned_class(source), source


def _registered(command_class: Any) -> type[Command]:
    if not (isinstance(command_class, type) and issubclass(command_class, Command)):
        raise RegistrationError(f"{command_class!r} isn't a command class")
    try:
        command_types.codec(command_class)
    except RegistrationError:
        raise RegistrationError(f"{command_class.__name__} isn't declared with @command") from None
    return command_class


def _returned_class(function: Any) -> type[Command]:
    try:
        returned = typing.get_type_hints(function).get("return")
        inspect.signature(function).bind(None, None)
    except (NameError, TypeError) as error:
        raise RegistrationError(
            f"{function!r} can't be called with (state, effect), or its annotations can't be "
            f"resolved: {error}"
        ) from error
    if returned is None:
        raise RegistrationError(
            f"{function!r} doesn't say which command it returns: annotate it, -> YourCommand"
        )
    return _registered(returned)


def _filled_by_name(
    command_class: type[Command], state_class: type, known: Collection[str]
) -> Build:
    sources = kinds_of(state_class)
    required = required_fields(command_class)
    from_state, from_effect = [], []
    for name, wanted in kinds_of(command_class).items():
        if name in sources:
            _check_fits(command_class, name, wanted, sources[name], known)
            from_state.append(name)
        elif name in _EFFECT_FIELDS:
            if wanted.bare is not _EFFECT_FIELDS[name]:
                raise RegistrationError(
                    f"{command_class.__name__}.{name} has to be a {_EFFECT_FIELDS[name].__name__}"
                )
            from_effect.append(name)
        elif name in required:
            raise RegistrationError(
                f"{command_class.__name__}.{name} is no field of {state_class.__name__}: add it, "
                "or give a function that makes the command"
            )

    def build(state: Any, effect: Effect) -> Command:
        values = {name: getattr(state, name) for name in from_state}
        values |= {name: getattr(effect, name) for name in from_effect}
        return command_class(**values)

    return build


def _check_fits(
    command_class: type[Command], name: str, wanted: Kind, given: Kind, known: Collection[str]
) -> None:
    field = f"{command_class.__name__}.{name}"
    if wanted.bare != given.bare:
        raise RegistrationError(
            f"{field} is a {wanted.bare!r}, but the field of the state a {given.bare!r}"
        )
    if given.optional and not wanted.optional and name not in known:
        raise RegistrationError(
            f"{field} can't be None, but no earlier step is sure to have learned it: let it be "
            "None, and find what is meant by the effect key"
        )
