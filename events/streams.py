"""Names of streams, and what an append may expect of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from .exceptions import InvalidInput

MAX_TYPE_LENGTH = 100
MAX_ID_LENGTH = 255
ALL = "$all"


class ExpectedVersion(IntEnum):
    """What an append expects of its stream, besides an exact version (0, 1, 2, ...)."""

    NO_STREAM = -1
    ANY = -2
    STREAM_EXISTS = -4


@dataclass(frozen=True, slots=True, init=False)
class StreamName:
    """One aggregate's stream, written `Order-<id>`. The part before the first `-` is its category.

    The type is 1 to 100 characters without `-` and doesn't start with `$`, which names the
    store's own streams (`$all`); the id is 1 to 255 characters, or a UUID.
    """

    aggregate_type: str
    aggregate_id: str

    def __init__(self, aggregate_type: str, aggregate_id: str | UUID) -> None:
        text = str(aggregate_id) if isinstance(aggregate_id, UUID) else aggregate_id
        check_category(aggregate_type)
        _check_text("aggregate_id", text, MAX_ID_LENGTH)
        object.__setattr__(self, "aggregate_type", aggregate_type)
        object.__setattr__(self, "aggregate_id", text)

    @classmethod
    def parse(cls, name: str) -> StreamName:
        category, dash, aggregate_id = name.partition("-")
        if not dash:
            raise InvalidInput("stream", f"{name!r} isn't of the form Category-id")
        return cls(category, aggregate_id)

    def __str__(self) -> str:
        return f"{self.aggregate_type}-{self.aggregate_id}"


def check_category(category: str) -> None:
    """Refuses what can't be an aggregate type."""
    if type(category) is str and category in _checked_categories:
        return
    _check_text("aggregate_type", category, MAX_TYPE_LENGTH)
    if "-" in category or category.startswith("$"):
        raise InvalidInput("aggregate_type", f"{category!r} holds a '-' or starts with '$'")
    if len(_checked_categories) < _MOST_CHECKED_CATEGORIES:
        _checked_categories.add(category)


def check_expected_version(expected_version: int) -> None:
    if expected_version < 0 and expected_version not in _EXPECTATIONS:
        raise InvalidInput("expected_version", f"{expected_version} isn't a version")


def describe_expected_version(expected_version: int) -> str | int:
    """As errors print it: a number, or the name of the expectation."""
    if expected_version < 0:
        return ExpectedVersion(expected_version).name
    return expected_version


_EXPECTATIONS = frozenset(ExpectedVersion)
#: An application has a handful, and names one with each stream.
_checked_categories: set[str] = set()
_MOST_CHECKED_CATEGORIES = 1_000


def _check_text(field: str, value: str, max_length: int) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidInput(field, "must be a non-empty string")
    if len(value) > max_length:
        raise InvalidInput(field, f"has {len(value)} characters, at most {max_length} are allowed")
    if not value.isprintable():
        raise InvalidInput(field, f"{value!r} holds characters that can't be printed")
