"""From an annotation, or a class full of them, to its codec."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from enum import Enum
from typing import Annotated, Any, Literal, Union

from ..exceptions import DecodingError, EncodingError, InvalidInput, RegistrationError
from ..limits import Limits
from .choices import enumeration, literal
from .containers import fixed_tuple, limited, mapping, optional, sequence
from .conversion import JsonObject, Pair, refuse
from .fields import Codec, fields_codec
from .scalars import SCALARS


def compile_codec(cls: type, *, without: frozenset[str] = frozenset()) -> Codec:
    """The codec of a dataclass, but for the fields named in `without`."""
    hints = resolved_annotations(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    taken = inspect.signature(cls).parameters.keys()
    if taken != fields.keys():
        names = ", ".join(sorted(taken ^ fields.keys()))
        raise RegistrationError(f"{cls.__qualname__} takes arguments that aren't fields: {names}")
    return compile_fields_codec(
        {
            name: (hints[name], _is_required(field))
            for name, field in fields.items()
            if name not in without
        },
        owner=cls.__qualname__,
    )


def resolved_annotations(cls: type) -> dict[str, Any]:
    """Raises RegistrationError where one names something that can't be found."""
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise RegistrationError(
            f"{cls.__qualname__} has an annotation that can't be resolved: {error}"
        ) from error


def compile_fields_codec(fields: dict[str, tuple[Any, bool]], *, owner: str) -> Codec:
    """As `compile_codec`, of attributes given as name -> (annotation, whether it is required)."""
    compiled = []
    for name, (annotation, required) in fields.items():
        try:
            plain = annotation if any(annotation is kind for kind in (str, int, bool)) else None
            compiled.append((name, *_converters(annotation), required, plain))
        except RegistrationError as error:
            raise RegistrationError(f"{owner}.{name}: {error}") from None
    return fields_codec(compiled)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _converters(annotation: Any) -> Pair:
    if isinstance(annotation, type) and annotation in SCALARS:
        return SCALARS[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _limited(arguments[0], [a for a in arguments[1:] if isinstance(a, Limits)])
    if origin in (Union, types.UnionType):
        return _optional(arguments)
    if origin is Literal:
        return literal(arguments)
    if origin is list and arguments:
        return sequence(_converters(arguments[0]), list)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return sequence(_converters(arguments[0]), tuple)
    if origin is tuple and arguments:
        return fixed_tuple([_converters(argument) for argument in arguments])
    if origin is dict and arguments and arguments[0] is str:
        return mapping(_converters(arguments[1]))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return enumeration(annotation)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return _nested(annotation)
    raise RegistrationError(
        f"{annotation!r} can't be stored; use one of the types listed in events.codec"
    )


def _limited(annotation: Any, limits: list[Limits]) -> Pair:
    inner = _converters(annotation)
    for limit in limits:
        limit.check_fits(annotation)
    return limited(inner, limits)


def _optional(arguments: tuple[Any, ...]) -> Pair:
    inner = [argument for argument in arguments if argument is not types.NoneType]
    if len(inner) != 1 or len(arguments) != 2:
        raise RegistrationError("a union is only possible of one type and None")
    return optional(_converters(inner[0]))


def _nested(kind: type) -> Pair:
    if kind in _being_compiled:
        raise RegistrationError(f"{kind.__qualname__} contains itself")
    _being_compiled.append(kind)
    try:
        codec = compile_codec(kind)
    finally:
        _being_compiled.pop()

    def encode(value: Any) -> JsonObject:
        if type(value) is not kind:
            refuse(EncodingError, kind.__name__, value)
        return codec.encode(value)

    def decode(value: Any) -> Any:
        values = codec.decode(value)
        try:
            return kind(**values)
        except InvalidInput as error:
            raise DecodingError(error.field, error.reason) from error
        except ValueError as error:  # the usual way for __post_init__ to refuse
            raise DecodingError("", str(error)) from error

    return encode, decode


_being_compiled: list[type] = []
