"""One annotated field, through the codec and JSON text; and types for it to be annotated with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from types import SimpleNamespace
from typing import Any

from events.codec import compile_fields_codec
from events.json_text import to_json_text


class Size(Enum):
    SMALL = "S"
    LARGE = "L"
    BIG = "L"  # an alias


class Priority(IntEnum):
    LOW = 1
    HIGH = 2


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Permission(IntFlag):
    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str = "EUR"


@dataclass(frozen=True)
class Line:
    name: str
    price: Money
    sizes: tuple[Size, ...] = ()


def money(amount, currency="EUR") -> Money:
    """Of an amount of any type."""
    return Money(amount, currency)


def line(**changes) -> Line:
    return replace(Line("pen", Money(Decimal(1))), **changes)


@dataclass
class Draft:
    """A dataclass that isn't frozen."""

    title: str


def encode(annotation: Any, value: Any) -> Any:
    """What `field` is stored as."""
    codec = compile_fields_codec({"field": (annotation, True)}, owner="Sample")
    return codec.encode(SimpleNamespace(field=value))["field"]


def decode(annotation: Any, stored: Any) -> Any:
    codec = compile_fields_codec({"field": (annotation, True)}, owner="Sample")
    return codec.decode({"field": stored})["field"]


def round_trip(annotation: Any, value: Any) -> Any:
    return decode(annotation, json.loads(to_json_text(encode(annotation, value))))
