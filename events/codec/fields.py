"""The named values of a dataclass, or of anything else with attributes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..exceptions import DecodingError, EncodingError
from .conversion import Convert, JsonObject, refuse

#: Name, encode, decode, whether it is required, and the type of JSON values that are taken as they
#: are, if there is one.
CompiledField: TypeAlias = tuple[str, Convert, Convert, bool, type | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Codec:
    """Of one dataclass: `encode` an instance to a JSON object, `decode` that to keyword arguments.

    `decode` ignores keys that the class doesn't know, and leaves a missing field to its default.
    """

    encode: Callable[[Any], JsonObject]
    decode: Callable[[Any], JsonObject]


def fields_codec(compiled: Sequence[CompiledField]) -> Codec:
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
            refuse(DecodingError, "an object", data)
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
