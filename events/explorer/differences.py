"""What differs between two JSON values, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

MAX_DIFFERENCES = 200

_MISSING = object()


class Kind(Enum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`path` is written as in error messages: `items[2].price`; empty for the whole value."""

    path: str
    kind: Kind
    old: Any = None
    new: Any = None


def differences(old: Any, new: Any, *, limit: int = MAX_DIFFERENCES) -> list[Difference]:
    """At most `limit`, in the order of the new value."""
    return list(islice(_compare("", old, new), limit))


def _compare(path: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            place = f"{path}.{key}" if path else str(key)
            yield from _compare(place, old.get(key, _MISSING), new.get(key, _MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _compare(f"{path}[{index}]", _item(old, index), _item(new, index))
    elif old is _MISSING:
        yield Difference(path=path, kind=Kind.ADDED, new=new)
    elif new is _MISSING:
        yield Difference(path=path, kind=Kind.REMOVED, old=old)
    # 1 and True are equal in Python, and not in JSON.
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield Difference(path=path, kind=Kind.CHANGED, old=old, new=new)


def _item(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING
