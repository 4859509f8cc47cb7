"""What the code of this process makes of a stored event, which may be nothing."""

from __future__ import annotations

import dataclasses
import traceback
import typing
from dataclasses import dataclass
from typing import Any

from ..codec import JsonObject, resolved_annotations
from ..exceptions import EventsError
from ..messages import ENVELOPE, DomainEvent
from ..models import Event
from ..personal.shapes import Fields, declares_personal, shape_of
from ..registry import event_types


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentForm:
    """The data after upcasting and the version that it has then; why it can't be read, if so."""

    version: int | None = None
    data: JsonObject | None = None
    problem: str = ""
    #: Of an error that the host's code raised.
    traceback: str = ""


def current_form(event: Event) -> CurrentForm:
    """Never raises: upcasters and event classes are the host's code, and whatever they do, the
    stored event must be shown."""
    version = data = None
    try:
        data = event_types.current_data(event.event_type, event.event_version, event.event_data)
        cls = event_types.find(event.event_type)
        version = cls.event_version if cls else event.event_version
        event_types.decode(
            event.event_type,
            version,
            data,
            event_id=event.event_id,
            occurred_on=event.occurred_on,
            metadata=event.metadata,
        )
    except Exception as error:
        known = isinstance(error, EventsError)
        return CurrentForm(
            version=version,
            data=data,
            problem=str(error) if known else f"{type(error).__name__}: {error}",
            traceback=_traceback(error.__cause__ if known else error),
        )
    return CurrentForm(version=version, data=data)


def _traceback(error: BaseException | None) -> str:
    return "".join(traceback.format_exception(error)) if error else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedField:
    """Of an event class."""

    name: str
    type_name: str
    is_personal: bool
    is_missing: bool = False
    value: Any = None


def typed_fields(cls: type[DomainEvent], data: JsonObject | None = None) -> list[TypedField]:
    """In the order of the class; with the values of the data, where it is given."""
    annotations, shape = resolved_annotations(cls), shape_of(cls)
    personal = shape.by_name if isinstance(shape, Fields) else {}
    return [
        TypedField(
            name=field.name,
            type_name=type_name(annotations[field.name]),
            is_personal=declares_personal(personal.get(field.name)),
            is_missing=data is not None and field.name not in data,
            value=(data or {}).get(field.name),
        )
        for field in dataclasses.fields(cls)
        if field.init and field.name not in ENVELOPE
    ]


def type_name(annotation: Any) -> str:
    """As it is written in the class, without what `Annotated` adds and without modules."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_name(arguments[0])
    if origin is typing.Literal:
        return " | ".join(map(repr, arguments))
    if annotation is Ellipsis:
        return "..."
    if arguments:
        names = [type_name(each) for each in arguments]
        if isinstance(origin, type) and origin.__name__ not in ("UnionType", "Union"):
            return f"{origin.__name__}[{', '.join(names)}]"
        return " | ".join(names)
    if annotation is type(None):
        return "None"
    return getattr(annotation, "__name__", str(annotation))
