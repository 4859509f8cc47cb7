"""The declared parts of a saga, before they are compiled: read, and checked one by one."""

from __future__ import annotations

from typing import Any

from events.bus.retry import RetryPolicy
from events.exceptions import RegistrationError
from events.messages import Command, DomainEvent
from events.registry import command_types, event_types

from .building import kinds_of
from .step import START, STREAM_ID, Compensation, Parallel, Step

Stages = list[dict[str, Step]]


def is_frozen(dataclass: Any) -> bool:
    return bool(dataclass.__dataclass_params__.frozen)


def declared_stages(definition: Any) -> Stages:
    """Of the class and its bases, in the order of declaration. A redefined step keeps its place;
    None takes it away."""
    declared: dict[str, Any] = {}
    for cls in reversed(definition.__mro__):
        for name, value in vars(cls).items():
            if isinstance(value, Step | Parallel) or (value is None and name in declared):
                declared[name] = value
    stages: Stages = []
    for name, value in declared.items():
        if value is not None:
            stages.append(dict(value.steps) if isinstance(value, Parallel) else {name: value})
    names = [name for stage in stages for name in stage]
    for name in names:
        if names.count(name) > 1:
            raise RegistrationError(f".{name}: two steps have this name")
        if name == START:
            raise RegistrationError(f".{name}: means what undo_start undoes; name it otherwise")
    return stages


def has_steps(definition: type) -> bool:
    return any(isinstance(value, Step | Parallel) for value in vars(definition).values())


def check_message(name: str, cls: Any) -> None:
    if isinstance(cls, type) and issubclass(cls, Command):
        command_types.codec(cls)
    elif isinstance(cls, type) and issubclass(cls, DomainEvent):
        event_types.codec(cls)
    else:
        raise RegistrationError(f"{name}: {cls!r} is neither an event class nor a command class")


def check_flags(step: Step) -> None:
    if not isinstance(step, Step):
        raise RegistrationError(f"{step!r} is no Step")
    if step.effect_free and (step.compensation is not None or step.pivot):
        raise RegistrationError(
            "effect_free leaves nothing to undo: it can't have a compensation or be the pivot"
        )


def check_answers(declared: Step | Compensation) -> None:
    for name in ("on_success", "on_rejection"):
        cls = getattr(declared, name)
        if cls is None:
            continue
        if not (isinstance(cls, type) and issubclass(cls, DomainEvent)):
            raise RegistrationError(f"{name}: {cls!r} isn't an event class")
        try:
            event_types.codec(cls)
        except RegistrationError:
            raise RegistrationError(f"{name}: {cls.__name__} isn't declared with @event") from None
        key = declared.reply_key
        if key not in (None, STREAM_ID) and key not in kinds_of(cls):
            raise RegistrationError(f"reply_key: {cls.__name__} has no field {key!r}")
    if declared.on_success is not None and declared.on_success is declared.on_rejection:
        raise RegistrationError(f"{declared.on_success.__name__} can't be success and rejection")
    timeout = declared.timeout_seconds
    if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
        raise RegistrationError(f"timeout_seconds: {timeout!r} isn't a number above 0")
    if not isinstance(declared.retry, RetryPolicy):
        raise RegistrationError(f"retry: {declared.retry!r} is no RetryPolicy")
