"""Bounds of a field, declared in its annotation: `name: Annotated[str, Limits(max_length=100)]`.

Checked when a command is dispatched or an event appended, and shown in the HTTP form. Not checked
when stored data is read: bounds may become tighter, history stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from .exceptions import EncodingError, RegistrationError

_LENGTHS = {str, list, tuple, dict}
_VALUES = {int, float, Decimal}
_BOUNDED: dict[str, set[Any]] = {
    "min_length": _LENGTHS,
    "max_length": _LENGTHS,
    "min_value": _VALUES,
    "max_value": _VALUES,
    "decimal_places": {Decimal},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Lengths are of strings, lists and tuples; values of numbers, inclusive."""

    min_length: int | None = None
    max_length: int | None = None
    min_value: int | float | Decimal | None = None
    max_value: int | float | Decimal | None = None
    #: Digits after the point of a Decimal.
    decimal_places: int | None = None

    def check_fits(self, annotation: Any) -> None:
        """Raises RegistrationError where a bound means nothing for values of this type."""
        while get_origin(annotation) in (Annotated, Union, UnionType):
            annotation = next(a for a in get_args(annotation) if a is not NoneType)
        kind = get_origin(annotation) or annotation
        for field in fields(self):
            if getattr(self, field.name) is not None and kind not in _BOUNDED[field.name]:
                raise RegistrationError(f"{field.name} means nothing for {annotation!r}")

    def check(self, value: Any) -> None:
        """Raises EncodingError."""
        if self.min_length is not None and len(value) < self.min_length:
            raise EncodingError("", f"is shorter than {self.min_length}")
        if self.max_length is not None and len(value) > self.max_length:
            raise EncodingError("", f"is longer than {self.max_length}")
        if self.min_value is not None and value < self.min_value:
            raise EncodingError("", f"is less than {self.min_value}")
        if self.max_value is not None and value > self.max_value:
            raise EncodingError("", f"is greater than {self.max_value}")
        if self.decimal_places is not None and -value.as_tuple().exponent > self.decimal_places:
            raise EncodingError("", f"has more than {self.decimal_places} decimal places")
