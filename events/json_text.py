"""Plain JSON values to text that every supported database stores, or a refusal with the path.

Refused: NaN and infinities (no JSON), NUL characters (PostgreSQL's jsonb has no place for them),
lone surrogates (no UTF-8), keys that aren't strings, values that aren't JSON.
"""

from __future__ import annotations

import json
import math
from typing import Any

from .exceptions import EncodingError, join_path

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


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
    try:
        _check(value, path)
    except RecursionError:
        raise EncodingError(path, "is nested too deeply") from None


def _check(value: Any, path: str) -> None:
    if isinstance(value, str):
        _check_string(value, path)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise EncodingError(path, f"{value} isn't a JSON number")
    elif isinstance(value, dict):
        for key, element in value.items():
            if not isinstance(key, str):
                raise EncodingError(path, f"the key {key!r} isn't a string")
            _check_string(key, join_path(path, ascii(key)))
            _check(element, join_path(path, key))
    elif isinstance(value, list | tuple):
        for index, element in enumerate(value):
            _check(element, f"{path}[{index}]")
    elif value is not None and not isinstance(value, int):
        raise EncodingError(path, f"{type(value).__name__} isn't a JSON value")


def _check_string(value: str, path: str) -> None:
    if "\0" in value:
        raise EncodingError(path, "holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise EncodingError(path, f"holds half of a surrogate pair at {error.start}") from None
