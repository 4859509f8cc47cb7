"""The rows of a CSV or JSON Lines file, each with its place, and those that aren't rows at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

from ..exceptions import DecodingError
from .errors import FileUnreadable
from .source import MAX_LINE_LENGTH, Source


class Row(NamedTuple):
    """Values by column. Those of CSV are text; those of JSON Lines, what they are there."""

    #: Among the rows of the file, from 1, headers and empty lines not counted.
    number: int
    #: Where it begins in the file, from 1.
    line: int
    values: dict[str, Any]


class Refusal(NamedTuple):
    """A row that can't become an event."""

    line: int
    reason: str
    #: As much of the row as was understood.
    row: Any


Rows: TypeAlias = Iterator[Row | Refusal]


def csv_rows(
    source: Source, *, delimiter: str = ",", required: Collection[str] = frozenset()
) -> Rows:
    """Raises FileUnreadable for a header without a required column, or with one twice."""
    with _field_size_limit(MAX_LINE_LENGTH):
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        header = _header(reader)
        if missing := sorted(set(required) - set(header)):
            raise FileUnreadable(
                f"The file has no column {', '.join(missing)}; it has {', '.join(header)}."
            )
        number = 0
        while True:
            line = source.line_number + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield Refusal(line, f"isn't CSV: {error}", None)
                continue
            if not fields:  # an empty line
                continue
            number += 1
            if len(fields) == len(header):
                yield Row(number, line, dict(zip(header, fields, strict=True)))
            else:
                reason = f"has {len(fields)} values, the header names {len(header)} columns"
                yield Refusal(line, reason, fields)


def json_rows(source: Source) -> Rows:
    number = 0
    for text in source:
        if not text.strip():
            continue
        number += 1
        try:
            values = parsed_json(text, "")
        except DecodingError as error:
            yield Refusal(source.line_number, error.reason, text)
            continue
        if isinstance(values, dict):
            yield Row(number, source.line_number, values)
        else:
            yield Refusal(source.line_number, "isn't a JSON object", values)


def parsed_json(text: str, field: str) -> Any:
    """Raises DecodingError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodingError(field, f"isn't JSON: {error}") from error


def _header(reader: Iterator[list[str]]) -> Sequence[str]:
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise FileUnreadable(f"The header isn't CSV: {error}") from error
    if not header:
        raise FileUnreadable("The file has no header that names its columns.")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise FileUnreadable(f"The header names a column twice: {', '.join(twice)}.")
    return header


@contextmanager
def _field_size_limit(limit: int) -> Iterator[None]:
    """The module's own is small, and belongs to the whole process."""
    before = csv.field_size_limit(limit)
    try:
        yield
    finally:
        csv.field_size_limit(before)
