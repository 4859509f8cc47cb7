"""What annotations declare as personal: a class as a tree of its fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, Union
from weakref import WeakKeyDictionary

from ..aggregates import EventSourcedAggregate, apply_method_name
from ..codec import resolved_annotations
from ..messages import ENVELOPE, DomainEvent
from ..registry import event_types


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field of an event, an attribute of an aggregate, or a field of a dataclass in one."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The value is personal, with all that is in it."""

    #: It is an object whose keys are data, and not names of fields.
    has_keys: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """An object, some of whose fields are."""

    by_name: Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class Items:
    """An array, or an object with any keys, whose values have this shape."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Untyped:
    """Any JSON: in it, what any event class calls personal is so by its name."""


#: None: nothing in it is personal.
Shape: TypeAlias = Whole | Fields | Items | Untyped | None


def declares_personal(shape: Shape) -> bool:
    """More than that something in it could be."""
    if isinstance(shape, Fields):
        return any(declares_personal(part) for part in shape.by_name.values())
    return declares_personal(shape.item) if isinstance(shape, Items) else isinstance(shape, Whole)


def shape_of(cls: type) -> Shape:
    """Of the stored data of an event class, of the state of an aggregate class, or of another
    dataclass."""
    if cls not in _shapes:
        _shapes[cls] = _shape_of(cls)
    return _shapes[cls]


_shapes: WeakKeyDictionary[type, Shape] = WeakKeyDictionary()


def _shape_of(cls: type) -> Shape:
    annotations = resolved_annotations(cls)
    names = (
        [field.name for field in dataclasses.fields(cls) if field.init]
        if dataclasses.is_dataclass(cls)
        else list(annotations)
    )
    shapes = {name: _shape(annotations[name]) for name in names if name not in ENVELOPE}
    return Fields(types.MappingProxyType(shapes)) if any(shapes.values()) else None


def _shape(annotation: Any) -> Shape:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        if any(isinstance(each, Personal) or each is Personal for each in arguments[1:]):
            return Whole()
        return _shape(arguments[0])
    if origin in (Union, types.UnionType):
        return next((found for each in arguments if (found := _shape(each))), None)
    if origin is dict and isinstance(_shape(arguments[0]), Whole):
        return Whole(has_keys=True)
    if origin in (list, dict, tuple):
        parts = [shape for each in arguments if (shape := _shape(each))]
        if origin is tuple and parts and arguments[-1] is not Ellipsis:
            return Whole() if any(map(declares_personal, parts)) else Untyped()
        return Items(parts[0]) if parts else None
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return shape_of(annotation)
    return Untyped() if annotation is Any else None


def personal_names(classes: Iterable[type] | None = None) -> frozenset[str]:
    """Of all fields that these classes, or else all event classes, declare as personal."""
    shapes = (shape_of(cls) for cls in (event_types if classes is None else classes))
    return frozenset(name for shape in shapes for name in _names(shape))


def _names(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Items):
        yield from _names(shape.item)
    elif isinstance(shape, Fields):
        for name, part in shape.by_name.items():
            if isinstance(part, Whole):
                yield name
            else:
                yield from _names(part)


def applied_classes(aggregate_class: type[EventSourcedAggregate]) -> list[type[DomainEvent]]:
    return [cls for cls in event_types if hasattr(aggregate_class, apply_method_name(cls))]
