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

from .annotations import compile_codec, compile_fields_codec, resolved_annotations
from .conversion import JsonObject
from .fields import Codec

__all__ = [
    "Codec",
    "JsonObject",
    "compile_codec",
    "compile_fields_codec",
    "resolved_annotations",
]
