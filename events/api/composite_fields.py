"""Fields of values that hold others: lists, tuples, dicts, and whatever JSON can say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from .fields import MAX_ERRORS, Field, StrictField
from .parsers import plain


class SequenceField(StrictField, serializers.ListField):
    """list[T] or tuple[T, ...]."""

    json_types = (list,)

    def __init__(self, *, kind: type[list[Any]] | type[tuple[Any, ...]], **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind

    def to_internal_value(self, data: Any) -> Any:
        self.check_type(data)
        self.run_validators(data)  # its length, before all of its elements are looked at
        return self.kind(_validated((i, self.child, each) for i, each in enumerate(data)).values())


class TupleField(StrictField):
    """tuple[A, B]: as many elements as types."""

    json_types = (list,)
    default_error_messages = {"length": _("Expected {expected} elements, got {given}.")}

    def __init__(self, *, elements: list[Field], **options: Any) -> None:
        super().__init__(**options)
        self.elements = elements
        for element in elements:
            element.bind(field_name="", parent=self)  # type: ignore[arg-type]

    def to_internal_value(self, data: Any) -> tuple[Any, ...]:
        self.check_type(data)
        if len(data) != len(self.elements):
            self.fail("length", expected=len(self.elements), given=len(data))
        numbered = enumerate(zip(self.elements, data, strict=True))
        return tuple(_validated((i, field, value) for i, (field, value) in numbered).values())


class MappingField(StrictField, serializers.DictField):
    """dict[str, T]."""

    json_types = (dict,)
    default_error_messages = serializers.ListField.default_error_messages

    def __init__(
        self, *, min_length: int | None = None, max_length: int | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.min_length, self.max_length = min_length, max_length

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        self.check_type(data)
        if self.min_length is not None and len(data) < self.min_length:
            self.fail("min_length", min_length=self.min_length)
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return _validated((key, self.child, value) for key, value in data.items())


def _validated(parts: Iterable[tuple[Any, Field, Any]]) -> dict[Any, Any]:
    """Of keys or indexes, fields and values. Stops when there are errors enough to report."""
    values: dict[Any, Any] = {}
    errors: dict[Any, Any] = {}
    for key, field, value in parts:
        try:
            values[key] = field.run_validation(value)
        except ValidationError as error:
            errors[key] = error.detail
        if len(errors) == MAX_ERRORS:
            break
    if errors:
        raise ValidationError(errors)
    return values


class AnyField(Field):
    """Whatever JSON can say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_null": True})

    def to_internal_value(self, data: Any) -> Any:
        return plain(data)

    def to_representation(self, value: Any) -> Any:
        return value
