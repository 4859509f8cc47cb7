"""What every part of the codec is made of: functions in pairs, and their refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from ..exceptions import EncodingError

JsonObject: TypeAlias = dict[str, Any]
Convert: TypeAlias = Callable[[Any], Any]
#: To encode and to decode values of one annotation.
Pair: TypeAlias = tuple[Convert, Convert]


def refuse(error: type[EncodingError], expected: str, value: object) -> NoReturn:
    raise error("", f"expected {expected}, got {type(value).__name__} {value!r:.60}")


def at(place: str, convert: Convert, value: Any) -> Any:
    try:
        return convert(value)
    except EncodingError as error:
        raise error.under(place) from None
