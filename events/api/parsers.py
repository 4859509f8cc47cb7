"""JSON as RFC 8259 has it, in UTF-8, and nothing that the log could not store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from ..json_text import check_plain
from .renderers import JSONRenderer

# Far below the recursion limit, so that what is accepted here can be handled everywhere.
MAX_DEPTH = 100


class ExactFloat(float):
    """Keeps the digits that were sent: a field of type Decimal needs them all."""

    def __new__(cls, text: str) -> ExactFloat:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


class StrictJSONParser(BaseParser):
    """Refuses NaN, infinities, repeated names, lone surrogates, NUL and deep nesting."""

    media_type = "application/json"
    #: The browsable page writes the first content of its raw form with it.
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # HttpRequest.body minds DATA_UPLOAD_MAX_MEMORY_SIZE; its read() doesn't.
        content = stream.body if isinstance(stream, HttpRequest) else stream.read()
        try:
            value = json.loads(
                content.decode(),
                parse_float=ExactFloat,
                parse_constant=_refuse_constant,
                object_pairs_hook=_object,
            )
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON: {error}") from error
        _check_depth(value)
        check_plain(plain(value))
        return value


def plain(value: Any) -> Any:
    """The same without ExactFloat."""
    if isinstance(value, ExactFloat):
        return float(value)
    if isinstance(value, list):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {name: plain(element) for name, element in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the name {name!a} occurs more than once in an object")
        members[name] = value
    return members


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise ParseError(f"The body is nested more than {MAX_DEPTH} levels deep.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
