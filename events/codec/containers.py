"""Values with other values in them, whose pairs are given."""

from __future__ import annotations

from typing import Any

from ..exceptions import DecodingError, EncodingError
from ..limits import Limits
from .conversion import Convert, JsonObject, Pair, at, refuse


def sequence(item: Pair, kind: type[list[Any]] | type[tuple[Any, ...]]) -> Pair:
    encode_item, decode_item = item

    def encode(value: Any) -> list[Any]:
        if type(value) is not kind:
            refuse(EncodingError, kind.__name__, value)
        return [at(f"[{index}]", encode_item, element) for index, element in enumerate(value)]

    def decode(value: Any) -> Any:
        if type(value) is not list:
            refuse(DecodingError, "an array", value)
        return kind(at(f"[{index}]", decode_item, element) for index, element in enumerate(value))

    return encode, decode


def fixed_tuple(pairs: list[Pair]) -> Pair:
    def check(value: Any, kind: type[Any], error: type[EncodingError]) -> None:
        if type(value) is not kind or len(value) != len(pairs):
            refuse(error, f"{kind.__name__} of {len(pairs)}", value)

    def encode(value: Any) -> list[Any]:
        check(value, tuple, EncodingError)
        return [at(f"[{i}]", pairs[i][0], element) for i, element in enumerate(value)]

    def decode(value: Any) -> tuple[Any, ...]:
        check(value, list, DecodingError)
        return tuple(at(f"[{i}]", pairs[i][1], element) for i, element in enumerate(value))

    return encode, decode


def mapping(item: Pair) -> Pair:
    encode_item, decode_item = item

    def convert(value: Any, error: type[EncodingError], convert_item: Convert) -> JsonObject:
        if type(value) is not dict:
            refuse(error, "dict", value)
        for key in value:
            if type(key) is not str:
                refuse(error, "str keys", key)
        return {key: at(key, convert_item, element) for key, element in value.items()}

    return (
        lambda value: convert(value, EncodingError, encode_item),
        lambda value: convert(value, DecodingError, decode_item),
    )


def optional(inner: Pair) -> Pair:
    encode_inner, decode_inner = inner
    return (
        lambda value: None if value is None else encode_inner(value),
        lambda value: None if value is None else decode_inner(value),
    )


def limited(inner: Pair, limits: list[Limits]) -> Pair:
    encode_inner, decode = inner

    def encode(value: Any) -> Any:
        encoded = encode_inner(value)
        if value is not None:
            for limit in limits:
                limit.check(value)
        return encoded

    return encode, decode
