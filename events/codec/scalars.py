"""Values without parts."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from ..exceptions import DecodingError, EncodingError
from ..json_text import check_plain
from .conversion import Convert, Pair, refuse


def _exactly(kind: type) -> Pair:
    """A type that JSON has too. Subclasses such as bool for int or str enums don't pass."""

    def check(error: type[EncodingError]) -> Convert:
        def convert(value: Any) -> Any:
            if type(value) is kind:
                return value
            refuse(error, kind.__name__, value)

        return convert

    return check(EncodingError), check(DecodingError)


def _float() -> Pair:
    # In both directions: jsonb gives 1e22 back as an integer.
    def check(error: type[EncodingError]) -> Convert:
        def convert(value: Any) -> float:
            if type(value) not in (float, int):
                refuse(error, "float", value)
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            return number if math.isfinite(number) else refuse(error, "a finite float", value)

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
            refuse(EncodingError, kind.__name__, value)
        if expected := refusal(value):
            refuse(EncodingError, expected, value)
        return to_text(value)

    def decode(value: Any) -> Any:
        if type(value) is not str:
            refuse(DecodingError, f"{kind.__name__} as string", value)
        try:
            decoded = from_text(value)
        except (ValueError, InvalidOperation):
            refuse(DecodingError, f"{kind.__name__} as string", value)
        if expected := refusal(decoded):
            refuse(DecodingError, expected, value)
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


SCALARS: dict[Any, Pair] = {
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
