"""Values of which there are a few, written out: Literal and Enum."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from typing import Any

from ..exceptions import DecodingError, EncodingError, RegistrationError
from .conversion import Convert, Pair, refuse


def literal(values: tuple[Any, ...]) -> Pair:
    if not all(type(value) in (str, int, bool) for value in values):
        raise RegistrationError("a Literal can hold strings, integers and booleans only")
    allowed = {(type(value), value) for value in values}

    def check(error: type[EncodingError]) -> Convert:
        def convert(value: Any) -> Any:
            if type(value) in (str, int, bool) and (type(value), value) in allowed:
                return value
            refuse(error, f"one of {', '.join(map(repr, values))}", value)

        return convert

    return check(EncodingError), check(DecodingError)


def enumeration(kind: type[Enum]) -> Pair:
    if not all(isinstance(member.value, str | int) for member in kind):
        raise RegistrationError(f"{kind.__name__} has values that are neither strings nor integers")

    def encode(value: Any) -> Any:
        return value.value if type(value) is kind else refuse(EncodingError, kind.__name__, value)

    # 1.0 and True equal 1, but were never encoded from it.
    value_types = {type(member.value) for member in kind}

    def decode(value: Any) -> Enum:
        with suppress(ValueError):
            if type(value) in value_types:
                return kind(value)
        names = ", ".join(repr(member.value) for member in kind)
        refuse(DecodingError, f"one of {names}", value)

    return encode, decode
