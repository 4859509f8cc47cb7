"""What a client can learn about a command's fields: in OPTIONS, and in the list of commands."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import metadata, serializers
from rest_framework.utils.field_mapping import ClassLookupDict

from .composite_fields import AnyField, MappingField, TupleField
from .fields import Field, UUIDField

_LABELS: dict[Any, str] = {
    **metadata.SimpleMetadata.label_lookup.mapping,
    AnyField: "any",
    MappingField: "map",
    TupleField: "tuple",
    UUIDField: "uuid",
    serializers.Serializer: "object",
}


class CommandMetadata(metadata.SimpleMetadata):
    label_lookup = ClassLookupDict(_LABELS)

    def get_field_info(self, field: Field) -> dict[str, Any]:
        # DRF would make floats of the limits of a Decimal.
        info: dict[str, Any] = {
            name: str(value) if isinstance(value, Decimal) else value
            for name, value in super().get_field_info(field).items()
            if name != "read_only"
        }
        info["nullable"] = field.allow_null
        if not field.required and field.initial is not None:
            info["default"] = field.initial
        if isinstance(field, TupleField):
            info["elements"] = [self.get_field_info(element) for element in field.elements]
        return info
