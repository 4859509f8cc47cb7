"""How a process without a conductor is declared: reactions, each from an event to a command.

    @reacts_to(InventoryReserved, emits=[PaymentProcessed, PaymentFailed], within_seconds=600,
               otherwise=cancel_order)
    def process_payment(reserved: RecordedEvent) -> ProcessPayment: ...

    class OrderProcessingSaga(Choreography):
        saga_type = "OrderProcessing"
        key = "order_id"
        starts_on = OrderPlaced
        completed_by = [OrderCompleted]
        failures = [PaymentFailed, ...]
        turned_back_by = [OrderCancelled]

        reserve = reserve_inventory
        pay = process_payment
        ...

A process knows its events by their types: another one of the same type for the same key says
nothing new. Import the handlers of the commands before; `choreography_checks` looks at the whole.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Union

from events.bus.retry import RetryPolicy
from events.bus.subscription import Start
from events.exceptions import CommandRefused, RegistrationError
from events.messages import Command, DomainEvent
from events.registry import command_types, event_types

from .process import EventTypes, OnRefusal, Process, React, Reaction

#: Another system may be away for hours, and waiting costs nothing. A refusal doesn't change by
#: itself: it is for an operator at once.
PATIENT = RetryPolicy(
    attempts=100,
    first_delay_seconds=0.5,
    factor=3,
    max_delay_seconds=600,
    jitter=0.5,
    never_for=(CommandRefused,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredReaction:
    """What `reacts_to` makes of a function, to be named by the class that it is put into."""

    react: React
    options: dict[str, Any]


def reacts_to(
    *events: type[DomainEvent],
    emits: Sequence[type[DomainEvent]],
    name: str | None = None,
    undoes: Sequence[type[DomainEvent]] = (),
    within_seconds: float | None = None,
    otherwise: Callable[[str], Command] | None = None,
    on_refusal: OnRefusal | None = None,
    retry: RetryPolicy = PATIENT,
    timeout_seconds: float | None = 60.0,
) -> Callable[[React], DeclaredReaction]:
    """The function gets a RecordedEvent and returns a command, or None where there is nothing to
    do. It is called at least once, from a durable subscription of its own; the command has the same
    id each time, so that it is handled once.

    `name` is that of the subscription, for ever; without it, that of the attribute in the class.
    A new name is a new reaction: it begins where the class says, and what was sent under the old
    name is sent again.

    `emits` are all events with which the command can be answered. If none has come
    `within_seconds`, `otherwise` makes a command from the key, to turn the process back; without
    it, and where that changes nothing, the instance is shown to operators.

    What it raises, and what the command's handler raises, is tried again, by the policy; a refusal
    goes to the dead letters at once, for an operator to retry or discard. Where it is an answer,
    `on_refusal(recorded, refusal)` returns what is sent instead, or None; or it raises the refusal
    again. After a crash the first command is sent again, and may be taken then.
    """

    def declare(function: React) -> DeclaredReaction:
        return DeclaredReaction(
            react=function,
            options={
                "name": name,
                "events": frozenset(events),
                "emits": frozenset(emits),
                "undoes": frozenset(undoes),
                "within_seconds": within_seconds,
                "otherwise": otherwise,
                "on_refusal": on_refusal,
                "retry": retry,
                "timeout_seconds": timeout_seconds,
            },
        )

    return declare


class Choreography:
    """Subclasses with a `saga_type` are registered, and followed from then on; others are bases for
    them. A reaction of the same name takes the place of the inherited one, None takes it away."""

    #: Written out, for ever.
    saga_type: ClassVar[str]
    #: Name of the field that tells instances apart. It is the stream's id of events without it.
    key: ClassVar[str]
    starts_on: ClassVar[type[DomainEvent]]
    #: It ends with one of these,
    completed_by: ClassVar[Sequence[type[DomainEvent]]]
    #: or, from one of these on, with all undone that was begun.
    turned_back_by: ClassVar[Sequence[type[DomainEvent]]]
    #: Those that say that a step had no effect.
    failures: ClassVar[Sequence[type[DomainEvent]]] = ()
    #: Further events that nobody need react to,
    ends: ClassVar[Sequence[type[DomainEvent]]] = ()
    #: and some that come from elsewhere.
    inputs: ClassVar[Sequence[type[DomainEvent]]] = ()
    #: Where reactions that have never run begin: with `Start.NOW` they leave alone what was there
    #: before them.
    start: ClassVar[Start | int] = Start.BEGINNING

    process: ClassVar[Process]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "saga_type" in vars(cls):
            cls.process = _compiled(cls)
            choreographies.register(cls.process)


class Choreographies:
    """The processes of this process of the operating system, by name."""

    def __init__(self) -> None:
        self._by_type: dict[str, Process] = {}
        #: Called with each one that is added.
        self.observers: list[Callable[[Process], object]] = []

    def __iter__(self) -> Iterator[Process]:
        return iter(self._by_type.values())

    def find(self, saga_type: str) -> Process | None:
        return self._by_type.get(saga_type)

    def register(self, process: Process) -> None:
        taken = self._by_type.get(process.saga_type)
        if taken is not None and _place(taken) != _place(process):
            raise RegistrationError(
                f"{process.saga_type} is defined by {taken.definition!r} and again by "
                f"{process.definition!r}."
            )
        self._by_type[process.saga_type] = process
        for observer in self.observers:
            observer(process)


choreographies = Choreographies()


def _place(process: Process) -> tuple[str, str]:
    return process.definition.__module__, process.definition.__qualname__


def _compiled(definition: type[Choreography]) -> Process:
    for name in ("key", "starts_on", "completed_by", "turned_back_by"):
        if not hasattr(definition, name):
            raise RegistrationError(f"{definition.__qualname__}.{name} is missing.")
    where = definition.__qualname__
    process = Process(
        saga_type=definition.saga_type,
        definition=definition,
        key=definition.key,
        starts_on=definition.starts_on,
        completed_by=frozenset(definition.completed_by),
        turned_back_by=frozenset(definition.turned_back_by),
        failures=frozenset(definition.failures),
        ends=frozenset(definition.ends),
        inputs=frozenset(definition.inputs),
        start=definition.start,
        reactions=tuple(
            _named(f"{where}.{name}", name, declared)
            for name, declared in _declared_reactions(definition).items()
        ),
    )
    if not process.reactions:
        raise RegistrationError(f"{where} has no reactions.")
    _check_events(where, process.events)
    return process


def _declared_reactions(definition: type[Choreography]) -> dict[str, DeclaredReaction]:
    """Of the class and its bases, in the order of declaration. A redefined one keeps its place;
    None takes it away."""
    declared: dict[str, Any] = {}
    for cls in reversed(definition.__mro__):
        for name, value in vars(cls).items():
            if isinstance(value, DeclaredReaction) or (value is None and name in declared):
                declared[name] = value
    return {name: value for name, value in declared.items() if value is not None}


def _named(where: str, attribute: str, declared: DeclaredReaction) -> Reaction:
    options = declared.options
    name = options["name"] or attribute
    for field in ("events", "emits"):
        if not options[field]:
            raise RegistrationError(f"{where}: {field} are missing.")
        _check_events(f"{where}: {field}", options[field])
    _check_events(f"{where}: undoes", options["undoes"])
    seconds = options["within_seconds"]
    if seconds is not None and not (isinstance(seconds, int | float) and seconds > 0):
        raise RegistrationError(f"{where}: within_seconds: {seconds!r} isn't a number above 0.")
    if options["otherwise"] is not None and seconds is None:
        raise RegistrationError(f"{where}: otherwise is for what has a limit: set within_seconds.")
    commands = tuple(_returned_commands(where, declared.react))
    return Reaction(react=declared.react, commands=commands, **options | {"name": name})


def _check_events(where: str, classes: EventTypes) -> None:
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, DomainEvent)):
            raise RegistrationError(f"{where}: {cls!r} isn't an event class.")
        try:
            event_types.codec(cls)
        except RegistrationError:
            raise RegistrationError(
                f"{where}: {cls.__name__} isn't declared with @event."
            ) from None


def _returned_commands(where: str, function: React) -> Iterable[type[Command]]:
    try:
        returned = typing.get_type_hints(function).get("return")
    except (NameError, TypeError) as error:
        raise RegistrationError(f"{where}: its annotations can't be resolved: {error}") from error
    unions = (Union, types.UnionType)
    members = typing.get_args(returned) if typing.get_origin(returned) in unions else (returned,)
    found = [member for member in members if member is not types.NoneType and member is not None]
    if not found:
        raise RegistrationError(
            f"{where} doesn't say which command it returns: annotate it, -> YourCommand."
        )
    for member in found:
        if not (isinstance(member, type) and issubclass(member, Command)):
            raise RegistrationError(f"{where}: {member!r} isn't a command class.")
        command_types.codec(member)
    return found
