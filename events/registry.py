"""Which class a stored type name and version stand for. Names are written out, never derived.

`@event("UserRegistered")` and `@command("RegisterUser")` turn an annotated class into a frozen,
keyword-only dataclass, compile its codec and register it here.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, dataclass_transform

from .codec import Codec, JsonObject, compile_codec
from .exceptions import DecodingError, RegistrationError, UnknownCommandType, UnknownEventType
from .frozen import maker
from .messages import ENVELOPE, Command, DomainEvent
from .upcasting import UpcasterChain, upcasters

MAX_TYPE_NAME_LENGTH = 100
# Without empty parts: patterns of subscriptions (`User.*`) are read by the dots.
TYPE_NAME = re.compile(r"[A-Za-z]\w*(\.\w+)*", re.ASCII)

MessageT = TypeVar("MessageT")
EventT = TypeVar("EventT", bound=DomainEvent)
CommandT = TypeVar("CommandT", bound=Command)


class _Types(Generic[MessageT]):
    """Type name <-> class, one to one, with the codec of each."""

    def __init__(self) -> None:
        self._classes: dict[str, type[MessageT]] = {}
        self._codecs: dict[type[MessageT], Codec] = {}

    def __iter__(self) -> Iterator[type[MessageT]]:
        return iter(self._classes.values())

    def register(self, name: str, cls: type[MessageT], codec: Codec) -> None:
        taken = self._classes.setdefault(name, cls)
        if taken is not cls and (taken.__module__, taken.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise RegistrationError(f"{name} is registered for {taken!r} and again for {cls!r}.")
        self._classes[name] = cls
        self._codecs[cls] = codec

    def find(self, name: str) -> type[MessageT] | None:
        return self._classes.get(name)

    def codec(self, cls: type[MessageT]) -> Codec:
        try:
            return self._codecs[cls]
        except KeyError:
            raise RegistrationError(f"{cls!r} is not registered: decorate it.") from None


class EventTypes(_Types[DomainEvent]):
    """The event classes of this process."""

    def __init__(self, chain: UpcasterChain) -> None:
        super().__init__()
        self.upcasters = chain
        #: By class and number of fields found: for events that do no more than hold all of them.
        self._makers: dict[tuple[type[DomainEvent], int], Callable[..., DomainEvent]] = {}

    def register(self, name: str, cls: type[DomainEvent], codec: Codec) -> None:
        super().register(name, cls, codec)
        fields = dataclasses.fields(cls)
        if not hasattr(cls, "__post_init__") and all(field.init for field in fields):
            own = [field.name for field in fields if field.name not in ENVELOPE]
            self._makers[cls, len(own)] = maker(cls, [*own, *ENVELOPE])

    def encode(self, event: DomainEvent) -> JsonObject:
        return self.codec(type(event)).encode(event)

    def current_data(self, event_type: str, event_version: int, data: JsonObject) -> JsonObject:
        """Stored data in the shape of the current version."""
        cls = self.find(event_type)
        if cls is None or event_version > cls.event_version:
            raise UnknownEventType(event_type, event_version)
        if event_version == cls.event_version:
            return data
        return self.upcasters.upcast(event_type, event_version, cls.event_version, data)

    def decode(
        self, event_type: str, event_version: int, data: JsonObject, **envelope: Any
    ) -> DomainEvent:
        """The typed event. `envelope` holds event_id, occurred_on and metadata.

        Raises UnknownEventType, UpcastingFailed, or DecodingError with the path of the field.
        """
        current = self.current_data(event_type, event_version, data)
        cls = self._classes[event_type]
        try:
            values = self._codecs[cls].decode(current)
            return self._made(cls, values, envelope)
        except DecodingError as error:
            raise error.under(event_type) from None
        except ValueError as error:  # the usual way for __post_init__ to refuse
            raise DecodingError(event_type, str(error)) from error

    def _made(
        self, cls: type[DomainEvent], values: JsonObject, envelope: dict[str, Any]
    ) -> DomainEvent:
        make = self._makers.get((cls, len(values)))
        if make is not None and len(envelope) == len(ENVELOPE):
            return make((*values.values(), *map(envelope.__getitem__, ENVELOPE)))
        return cls(**values, **envelope)


class CommandTypes(_Types[Command]):
    """The command classes of this process."""

    def get(self, command_type: str) -> type[Command]:
        cls = self.find(command_type)
        if cls is None:
            raise UnknownCommandType(command_type)
        return cls


event_types = EventTypes(upcasters)
command_types = CommandTypes()


def check_type_name(name: str) -> None:
    """Raises RegistrationError for what no event or command can be registered as."""
    if not isinstance(name, str):
        raise RegistrationError(
            f"{name!r} isn't a type name: decorate with one, as @event('Name')."
        )
    if not TYPE_NAME.fullmatch(name) or len(name) > MAX_TYPE_NAME_LENGTH:
        raise RegistrationError(
            f"{name!r} can't be a type name: use letters, digits, _ and dots between them, "
            f"at most {MAX_TYPE_NAME_LENGTH} characters."
        )


def _check_declaration(cls: type, base: type[DomainEvent] | type[Command]) -> None:
    if not issubclass(cls, base):
        raise RegistrationError(f"{cls!r} isn't a {base.__name__}: derive it from that.")
    for name in inspect.get_annotations(base).keys() & inspect.get_annotations(cls).keys():
        raise RegistrationError(f"{cls!r} declares {name}, which every {base.__name__} has.")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(event_type: str, *, version: int = 1) -> Callable[[type[EventT]], type[EventT]]:
    """Declares an event class. Raise `version` when its fields change, and write an upcaster."""

    check_type_name(event_type)
    if type(version) is not int or version < 1:
        raise RegistrationError(f"The version of {event_type!r} is {version!r}, not 1, 2, 3, ...")

    def register(cls: type[EventT]) -> type[EventT]:
        _check_declaration(cls, DomainEvent)
        cls = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
        cls.event_type = event_type
        cls.event_version = version
        event_types.register(event_type, cls, compile_codec(cls, without=ENVELOPE))
        return cls

    return register


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(
    command_type: str, *, permission: str | None = None
) -> Callable[[type[CommandT]], type[CommandT]]:
    """Declares a command class. `permission` ("users.register_user") guards it over HTTP."""

    check_type_name(command_type)

    def register(cls: type[CommandT]) -> type[CommandT]:
        _check_declaration(cls, Command)
        cls = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
        cls.command_type = command_type
        cls.permission = permission
        command_types.register(command_type, cls, compile_codec(cls))
        return cls

    return register
