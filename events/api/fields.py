"""Fields that take a JSON value of their own type, and no other, and lose nothing of it.

DRF's own convert: a number to a string, 1 to true, any integer to a UUID, a moment to another
offset, a Decimal to another number of digits. HTML forms and query strings, which have nothing
but strings, are still read the way DRF does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils import html

from .parsers import ExactFloat

Field = serializers.Field[Any, Any, Any, Any]

# Errors are dear: a body of a million wrong values must not take minutes, nor an answer as large.
MAX_ERRORS = 100

_NAMES = {
    str: _("a string"),
    bool: _("a boolean"),
    int: _("an integer"),
    ExactFloat: _("a number with a fraction"),
    list: _("an array"),
    dict: _("an object"),
}


class StrictField(Field):
    """Mixin. `json_types` are the types, after parsing, that a value may have."""

    json_types: ClassVar[tuple[type, ...]] = (str,)
    default_error_messages = {"type": _("Expected {expected}, got {given}.")}

    def to_internal_value(self, data: Any) -> Any:
        self.check_type(data)
        return super().to_internal_value(data)

    def check_type(self, data: Any) -> None:
        if type(data) not in self.json_types and not self.is_in_form():
            expected = str(_(" or ")).join(str(_NAMES[kind]) for kind in self.json_types)
            self.fail("type", expected=expected, given=_NAMES.get(type(data), type(data).__name__))

    def is_in_form(self) -> bool:
        return html.is_html_input(getattr(self.root, "initial_data", None))


class StringField(StrictField, serializers.CharField):
    def __init__(self, **options: Any) -> None:
        blank = not options.get("min_length")
        super().__init__(trim_whitespace=False, allow_blank=blank, **options)

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        value = super().get_value(dictionary)
        if value == "" and html.is_html_input(dictionary):
            # All that a form has for null, and for a field left out.
            if self.allow_null:
                return None
            return value if self.required else empty
        return value


class IntegerField(StrictField, serializers.IntegerField):
    json_types = (int,)


class FloatField(StrictField, serializers.FloatField):
    json_types = (int, ExactFloat)

    def to_internal_value(self, data: Any) -> float:
        self.check_type(data)
        try:
            number = float(data)
        except (ValueError, OverflowError):
            self.fail("invalid")
        if not math.isfinite(number):
            self.fail("invalid")
        return number


class BooleanField(StrictField, serializers.BooleanField):
    json_types = (bool,)


class DecimalField(StrictField, serializers.DecimalField):
    """As a string or as a number, both exact."""

    json_types = (str, int, ExactFloat)

    def __init__(self, *, decimal_places: int | None = None, **options: Any) -> None:
        super().__init__(max_digits=None, decimal_places=decimal_places, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        self.check_type(data)
        digits = data.text if isinstance(data, ExactFloat) else data
        value: Decimal = serializers.DecimalField.to_internal_value(self, digits)
        return value

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # Its own takes an empty string for null, in JSON as well.
        kind = serializers.DecimalField if self.is_in_form() else serializers.Field
        return kind.validate_empty_values(self, data)

    def quantize(self, value: Decimal) -> Decimal:
        return value


class UUIDField(StrictField, serializers.UUIDField):
    pass


class DateField(StrictField, serializers.DateField):
    def to_internal_value(self, data: Any) -> date:
        self.check_type(data)
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DD")


class TimeField(StrictField, serializers.TimeField):
    def to_internal_value(self, data: Any) -> time:
        self.check_type(data)
        try:
            return time.fromisoformat(data)
        except ValueError:
            self.fail("invalid", format="hh:mm[:ss[.uuuuuu]]")


class DateTimeField(StrictField, serializers.DateTimeField):
    """With an offset from UTC, which stays what it is. A browser's form can't give one: what it
    sends is taken for the current time zone of Django."""

    default_error_messages = {
        "offset": _("Datetime has no offset from UTC. Append one, such as Z or +02:00.")
    }

    def __init__(self, **options: Any) -> None:
        # Without a format: DRF's form page fails where it has to show a malformed value again.
        super().__init__(format=None, **options)

    def to_internal_value(self, data: Any) -> datetime:
        self.check_type(data)
        try:
            moment = datetime.fromisoformat(data)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DDThh:mm[:ss[.uuuuuu]](+hh:mm|-hh:mm|Z)")
        if moment.utcoffset() is not None:
            return moment
        if self.is_in_form():
            return make_aware(moment)
        self.fail("offset")


class ChoiceField(StrictField, serializers.ChoiceField):
    """One of the values of an Enum or a Literal."""

    def __init__(
        self, choices: Any, *, enumeration: type[Enum] | None = None, **options: Any
    ) -> None:
        super().__init__(choices, **options)
        self.enumeration = enumeration

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        return self.enumeration(value) if self.enumeration else value

    def check_type(self, data: Any) -> None:
        exact = any(type(data) is type(choice) and data == choice for choice in self.choices)
        if not exact and not self.is_in_form():
            self.fail("invalid_choice", input=data)
