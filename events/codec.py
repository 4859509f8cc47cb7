"""Typed dataclasses to plain JSON values and back, strictly and without losing a type.

A codec is compiled once per class from its annotations. What does not fit is refused with the
path of the field, before anything is stored: `items[2].price: expected Decimal, got float`.

| annotation | JSON |
|---|---|
| str, bool, int, float, None | the same; NaN and infinities are refused |
| Decimal | string, exact; NaN and infinities are refused |
| datetime (with an offset), date, time, UUID | string (ISO 8601, RFC 9562) |
| Enum, Literal | the value |
| dataclass | object |
| list[T], tuple[T, ...], tuple[A, B], dict[str, T] | array, array, array, object |
| T \\| None | T or null |
| Annotated[T, Limits(...)] | T, within limits when it is encoded |
| Any | what is plain JSON already |
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Annotated, Any, Literal, NoReturn, TypeAlias, Union
from uuid import UUID

from .exceptions import DecodingError, EncodingError, InvalidInput, RegistrationError
from .json_text import check_plain
from .limits import Limits

JsonObject: TypeAlias = dict[str, Any]
Convert: TypeAlias = Callable[[Any], Any]
Pair: TypeAlias = tuple[Convert, Convert]


@dataclasses.dataclass(frozen=True, slots=True)
class Codec:
    """Of one dataclass: `encode` an instance to a JSON object, `decode` that to keyword arguments.

    `decode` ignores keys that the class doesn't know, and leaves a missing field to its default.
    """

    encode: Callable[[Any], JsonObject]
    decode: Callable[[Any], JsonObject]


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

    def encode(instance: Any) -> JsonObject:
        data = {}
        for name, encode_value, _, _, _ in compiled:
            try:
                data[name] = encode_value(getattr(instance, name))
            except EncodingError as error:
                raise error.under(name) from None
        return data

    def decode(data: Any) -> JsonObject:
        if type(data) is not dict:
            _refuse(DecodingError, "an object", data)
        values = {}
        for name, _, decode_value, required, plain in compiled:
            if name in data:
                value = data[name]
                if type(value) is plain:  # saves a call for what is most frequent
                    values[name] = value
                    continue
                try:
                    values[name] = decode_value(value)
                except EncodingError as error:
                    raise error.under(name) from None
            elif required:
                raise DecodingError(name, "is missing")
        return values

    return Codec(encode, decode)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _refuse(error: type[EncodingError], expected: str, value: object) -> NoReturn:
    raise error("", f"expected {expected}, got {type(value).__name__} {value!r:.60}")


# --- one pair of functions (encode, decode) for each kind of annotation ---


def _converters(annotation: Any) -> Pair:
    if isinstance(annotation, type) and annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _limited(arguments[0], [a for a in arguments[1:] if isinstance(a, Limits)])
    if origin in (Union, types.UnionType):
        return _optional(arguments)
    if origin is Literal:
        return _literal(arguments)
    if origin is list and arguments:
        return _sequence(arguments[0], list)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _sequence(arguments[0], tuple)
    if origin is tuple and arguments:
        return _fixed_tuple(arguments)
    if origin is dict and arguments and arguments[0] is str:
        return _mapping(arguments[1])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enumeration(annotation)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return _nested(annotation)
    raise RegistrationError(
        f"{annotation!r} can't be stored; use one of the types listed in events/codec.py"
    )


def _exactly(kind: type) -> Pair:
    """A type that JSON has too. Subclasses such as bool for int or str enums don't pass."""

    def check(error: type[EncodingError]) -> Convert:
        def convert(value: Any) -> Any:
            if type(value) is kind:
                return value
            _refuse(error, kind.__name__, value)

        return convert

    return check(EncodingError), check(DecodingError)


def _float() -> Pair:
    # In both directions: jsonb gives 1e22 back as an integer.
    def check(error: type[EncodingError]) -> Convert:
        def convert(value: Any) -> float:
            if type(value) not in (float, int):
                _refuse(error, "float", value)
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            return number if math.isfinite(number) else _refuse(error, "a finite float", value)

        return convert

    return check(EncodingError), check(DecodingError)


def _as_text(
    kind: type,
    to_text: Callable[[Any], str],
    from_text: Callable[[str], Any],
    refusal: Callable[[Any], str | None] = lambda value: None,
) -> Pair:
    """`refusal` says what is expected instead of a value of the right type; None: it is fine."""

    def encode(value: Any) -> str:
        if type(value) is not kind:
            _refuse(EncodingError, kind.__name__, value)
        if expected := refusal(value):
            _refuse(EncodingError, expected, value)
        return to_text(value)

    def decode(value: Any) -> Any:
        if type(value) is not str:
            _refuse(DecodingError, f"{kind.__name__} as string", value)
        try:
            decoded = from_text(value)
        except (ValueError, InvalidOperation):
            _refuse(DecodingError, f"{kind.__name__} as string", value)
        if expected := refusal(decoded):
            _refuse(DecodingError, expected, value)
        return decoded

    return encode, decode


def _refused_decimal(value: Decimal) -> str | None:
    return None if value.is_finite() else "a finite Decimal"


def _refused_datetime(value: datetime) -> str | None:
    return "a datetime with an offset" if value.utcoffset() is None else None


def _refused_time(value: time) -> str | None:
    # A zone has no offset without a date; a fixed offset survives.
    lost = value.tzinfo is not None and value.utcoffset() is None
    return "a time without a zone" if lost else None


def _anything() -> Pair:
    def encode(value: Any) -> Any:
        check_plain(value)
        return value

    return encode, lambda value: value


def _limited(annotation: Any, limits: list[Limits]) -> Pair:
    encode_inner, decode = _converters(annotation)
    for limit in limits:
        limit.check_fits(annotation)

    def encode(value: Any) -> Any:
        encoded = encode_inner(value)
        if value is not None:
            for limit in limits:
                limit.check(value)
        return encoded

    return encode, decode


def _optional(arguments: tuple[Any, ...]) -> Pair:
    inner = [argument for argument in arguments if argument is not types.NoneType]
    if len(inner) != 1 or len(arguments) != 2:
        raise RegistrationError("a union is only possible of one type and None")
    encode_inner, decode_inner = _converters(inner[0])
    return (
        lambda value: None if value is None else encode_inner(value),
        lambda value: None if value is None else decode_inner(value),
    )


def _literal(values: tuple[Any, ...]) -> Pair:
    if not all(type(value) in (str, int, bool) for value in values):
        raise RegistrationError("a Literal can hold strings, integers and booleans only")
    allowed = {(type(value), value) for value in values}

    def check(error: type[EncodingError]) -> Convert:
        def convert(value: Any) -> Any:
            if type(value) in (str, int, bool) and (type(value), value) in allowed:
                return value
            _refuse(error, f"one of {', '.join(map(repr, values))}", value)

        return convert

    return check(EncodingError), check(DecodingError)


def _enumeration(kind: type[Enum]) -> Pair:
    if not all(isinstance(member.value, str | int) for member in kind):
        raise RegistrationError(f"{kind.__name__} has values that are neither strings nor integers")

    def encode(value: Any) -> Any:
        return value.value if type(value) is kind else _refuse(EncodingError, kind.__name__, value)

    # 1.0 and True equal 1, but were never encoded from it.
    value_types = {type(member.value) for member in kind}

    def decode(value: Any) -> Enum:
        with suppress(ValueError):
            if type(value) in value_types:
                return kind(value)
        names = ", ".join(repr(member.value) for member in kind)
        _refuse(DecodingError, f"one of {names}", value)

    return encode, decode


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
            _refuse(EncodingError, kind.__name__, value)
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


def _sequence(item: Any, kind: type[list[Any]] | type[tuple[Any, ...]]) -> Pair:
    encode_item, decode_item = _converters(item)

    def encode(value: Any) -> list[Any]:
        if type(value) is not kind:
            _refuse(EncodingError, kind.__name__, value)
        return [_at(f"[{index}]", encode_item, element) for index, element in enumerate(value)]

    def decode(value: Any) -> Any:
        if type(value) is not list:
            _refuse(DecodingError, "an array", value)
        return kind(_at(f"[{index}]", decode_item, element) for index, element in enumerate(value))

    return encode, decode


def _fixed_tuple(items: tuple[Any, ...]) -> Pair:
    pairs = [_converters(item) for item in items]

    def check(value: Any, kind: type[Any], error: type[EncodingError]) -> None:
        if type(value) is not kind or len(value) != len(pairs):
            _refuse(error, f"{kind.__name__} of {len(pairs)}", value)

    def encode(value: Any) -> list[Any]:
        check(value, tuple, EncodingError)
        return [_at(f"[{i}]", pairs[i][0], element) for i, element in enumerate(value)]

    def decode(value: Any) -> tuple[Any, ...]:
        check(value, list, DecodingError)
        return tuple(_at(f"[{i}]", pairs[i][1], element) for i, element in enumerate(value))

    return encode, decode


def _mapping(item: Any) -> Pair:
    encode_item, decode_item = _converters(item)

    def convert(value: Any, error: type[EncodingError], convert_item: Convert) -> JsonObject:
        if type(value) is not dict:
            _refuse(error, "dict", value)
        for key in value:
            if type(key) is not str:
                _refuse(error, "str keys", key)
        return {key: _at(key, convert_item, element) for key, element in value.items()}

    return (
        lambda value: convert(value, EncodingError, encode_item),
        lambda value: convert(value, DecodingError, decode_item),
    )


def _at(place: str, convert: Convert, value: Any) -> Any:
    try:
        return convert(value)
    except EncodingError as error:
        raise error.under(place) from None


_SCALARS: dict[Any, Pair] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    types.NoneType: _exactly(types.NoneType),
    float: _float(),
    Decimal: _as_text(Decimal, str, Decimal, _refused_decimal),
    datetime: _as_text(datetime, datetime.isoformat, datetime.fromisoformat, _refused_datetime),
    date: _as_text(date, date.isoformat, date.fromisoformat),
    time: _as_text(time, time.isoformat, time.fromisoformat, _refused_time),
    UUID: _as_text(UUID, str, UUID),
    Any: _anything(),
}
