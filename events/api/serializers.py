"""From an annotated dataclass, such as a command, to a DRF serializer that validates into it.

Takes the annotations that `codec` takes.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, Union
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ..exceptions import InvalidInput
from ..limits import Limits
from . import composite_fields, fields
from .fields import Field

_SCALARS: dict[Any, type[Field]] = {
    str: fields.StringField,
    int: fields.IntegerField,
    float: fields.FloatField,
    bool: fields.BooleanField,
    Decimal: fields.DecimalField,
    datetime: fields.DateTimeField,
    date: fields.DateField,
    time: fields.TimeField,
    UUID: fields.UUIDField,
    Any: composite_fields.AnyField,
    types.NoneType: composite_fields.AnyField,
}
_LENGTHS = ("min_length", "max_length")
_VALUES = ("min_value", "max_value")
_LIMITS: dict[Any, tuple[str, ...]] = {
    str: _LENGTHS,
    list: _LENGTHS,
    tuple: _LENGTHS,
    dict: _LENGTHS,
    int: _VALUES,
    float: _VALUES,
    Decimal: (*_VALUES, "decimal_places"),
}
_NOT_IN_A_FORM = (
    serializers.BaseSerializer,
    composite_fields.SequenceField,
    composite_fields.TupleField,
    composite_fields.MappingField,
    composite_fields.AnyField,
)
_CSRF_FIELD = "csrfmiddlewaretoken"


class DataclassSerializer(serializers.Serializer[Any]):
    """`validated_data` is an instance of the dataclass. Errors of an object as a whole stand under
    the empty name."""

    dataclass: ClassVar[type]

    @classmethod
    def is_flat(cls) -> bool:
        """Whether an HTML form can hold all of its fields."""
        return not any(isinstance(field, _NOT_IN_A_FORM) for field in cls._declared_fields.values())

    def get_initial(self) -> dict[str, Any]:
        """What a fresh form shows: fields that must be filled in, and defaults."""
        initial: dict[str, Any] = super().get_initial()
        if hasattr(self, "initial_data"):
            return initial
        return {
            name: value
            for name, value in initial.items()
            if self.fields[name].required or value is not None
        }

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise ValidationError({"": [_detail(_("Expected an object."))]})
        unknown = (name for name in data if name not in self.fields and name != _CSRF_FIELD)
        errors: dict[str, Any] = {
            name: [_detail(_("Unknown field."), "unknown")]
            for name in islice(unknown, fields.MAX_ERRORS)
        }
        values: dict[str, Any] = {}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            errors |= error.detail  # type: ignore[arg-type]
        if errors:
            raise ValidationError(errors)
        return self._instance(values)

    def _instance(self, values: dict[str, Any]) -> Any:
        try:
            return self.dataclass(**values)
        except InvalidInput as error:
            raise ValidationError({error.field: [_detail(error.reason)]}) from error
        except ValueError as error:  # the usual way for __post_init__ to refuse
            raise ValidationError({"": [_detail(str(error))]}) from error


def _detail(text: Any, code: str = "invalid") -> ErrorDetail:
    return ErrorDetail(str(text), code)


_made: dict[type, type[DataclassSerializer]] = {}


def serializer_class(cls: type) -> type[DataclassSerializer]:
    if cls not in _made:
        _made[cls] = _make(cls)
    return _made[cls]


def _make(cls: type) -> type[DataclassSerializer]:
    hints = typing.get_type_hints(cls, include_extras=True)
    declared = {
        field.name: field_for(hints[field.name], **_options(field))
        for field in dataclasses.fields(cls)
        if field.init
    }
    made: Any = type(f"{cls.__name__}Serializer", (DataclassSerializer,), dict(declared))
    made.dataclass = cls  # not among the attributes: a field may have this name
    serializer: type[DataclassSerializer] = made
    return serializer


def field_for(annotation: Any, limits: Limits | None = None, **options: Any) -> Field:
    """The field of an annotation. `options` are those that every DRF field has."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, type) and annotation in _SCALARS:
        return _SCALARS[annotation](**_limits(annotation, limits), **options)
    if origin is Annotated:
        limits = next((a for a in arguments[1:] if isinstance(a, Limits)), limits)
        return field_for(arguments[0], limits, **options)
    if origin in (Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not types.NoneType)
        return field_for(inner, limits, **{**options, "allow_null": True})
    if origin is Literal:
        return fields.ChoiceField([(value, str(value)) for value in arguments], **options)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return composite_fields.TupleField(elements=[field_for(a) for a in arguments], **options)
    options |= _limits(origin, limits)
    if origin is dict:
        return composite_fields.MappingField(child=field_for(arguments[1]), **options)
    if origin in (list, tuple):
        return composite_fields.SequenceField(kind=origin, child=field_for(arguments[0]), **options)
    if issubclass(annotation, Enum):
        return _enumeration(annotation, **options)
    return serializer_class(annotation)(**options)


def _enumeration(kind: type[Enum], **options: Any) -> Field:
    choices = [(member.value, getattr(member, "label", member.name)) for member in kind]
    return fields.ChoiceField(choices, enumeration=kind, **options)


def _limits(kind: Any, limits: Limits | None) -> dict[str, Any]:
    given = {name: getattr(limits, name, None) for name in _LIMITS.get(kind, ())}
    return {
        name: Decimal(str(value)) if kind is Decimal and name in _VALUES else value
        for name, value in given.items()
        if value is not None
    }


def _options(field: dataclasses.Field[Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if help_text := field.metadata.get("help_text"):
        options["help_text"] = help_text
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        return options
    return {**options, "required": False, "initial": _shown(field.default)}


def _shown(default: Any) -> Any:
    """A default as a form shows it; None where it can't, or where it is made up each time."""
    if isinstance(default, Enum):
        return default.value
    if isinstance(default, Decimal):
        return str(default)
    return default if isinstance(default, str | int | float) else None
