"""Plain JSON values to text that every supported database stores, or a refusal with the path.

Refused: NaN and infinities (no JSON), NUL characters (PostgreSQL's jsonb has no place for them),
lone surrogates (no UTF-8), keys that aren't strings, values that aren't JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from .exceptions import EncodingError, join_path

# Python prints integers of up to 4,300 digits (sys.set_int_max_str_digits).
MAX_INTEGER_BITS = 14_000

# Far below Python's limit of recursion, so that it can be read from anywhere.
MAX_DEPTH = 100

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _reused(encoder: json.JSONEncoder) -> Callable[[Any], str]:
    """Its `encode` makes another one in C for each call, which takes longer than a small value.
    Without a look-out for circles: these end with a RecursionError here."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    chunks = make(
        None,
        encoder.default,
        json.encoder.encode_basestring,
        None,
        encoder.key_separator,
        encoder.item_separator,
        encoder.sort_keys,
        encoder.skipkeys,
        encoder.allow_nan,
    )
    return lambda value: "".join(chunks(value, 0))


_encode = _reused(_encoder)


def to_json_text(value: Any) -> str:
    """Compact JSON text. Raises EncodingError with the path of the first value that doesn't fit."""
    try:
        text = _encode(value)
        if not text.isascii():
            text.encode()  # fails on a lone surrogate
    except (TypeError, ValueError, RecursionError) as error:
        check_plain(value)
        raise EncodingError("", f"isn't JSON: {error}") from error
    if "\\u0000" in text:  # a NUL, or an escaped backslash before u0000: look closer
        check_plain(value)
    return text


def check_plain(value: Any, path: str = "") -> None:
    """Raises EncodingError unless the value is plain JSON that can be stored."""
    _check(value, path, MAX_DEPTH)


def _check(value: Any, path: str, depth: int) -> None:
    if depth < 0:
        raise EncodingError("", f"is nested too deeply, more than {MAX_DEPTH} levels")
    # Exact types: a tuple or a string enum would come back as something else.
    kind = type(value)
    if kind is str:
        _check_string(value, path)
    elif kind is float:
        if not math.isfinite(value):
            raise EncodingError(path, f"{value} isn't a JSON number")
    elif kind is int:
        if value.bit_length() > MAX_INTEGER_BITS:
            raise EncodingError(path, f"is an integer of more than {MAX_INTEGER_BITS} bits")
    elif kind is dict:
        for key, element in value.items():
            if type(key) is not str:
                raise EncodingError(path, f"the key {key!r} isn't a string")
            shown = key if key.isprintable() and key else ascii(key)
            _check_string(key, join_path(path, shown))
            _check(element, join_path(path, shown), depth - 1)
    elif kind is list:
        for index, element in enumerate(value):
            _check(element, f"{path}[{index}]", depth - 1)
    elif value is not None and kind is not bool:
        raise EncodingError(path, f"{kind.__name__} isn't a JSON value")


def _check_string(value: str, path: str) -> None:
    if "\0" in value:
        raise EncodingError(path, "holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise EncodingError(path, f"holds half of a surrogate pair at {error.start}") from None
