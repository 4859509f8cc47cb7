"""What differs between two JSON values, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

from ..personal import Hidden

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
    return shown_differences(old, new, old, new, limit=limit)


def shown_differences(
    old: Any, new: Any, shown_old: Any, shown_new: Any, *, limit: int = MAX_DIFFERENCES
) -> list[Difference]:
    """That something differs is found in the values, what it is in those that are shown: copies
    in which parts are hidden."""
    return list(islice(_compare("", old, new, shown_old, shown_new), limit))


def _compare(path: str, old: Any, new: Any, shown_old: Any, shown_new: Any) -> Iterator[Difference]:
    is_hidden = isinstance(shown_old, Hidden) or isinstance(shown_new, Hidden)
    if isinstance(old, dict) and isinstance(new, dict) and not is_hidden:
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _compare(
                f"{path}.{key}" if path else str(key),
                *(value.get(key, _MISSING) for value in (old, new, shown_old, shown_new)),
            )
    elif isinstance(old, list) and isinstance(new, list) and not is_hidden:
        for index in range(max(len(old), len(new))):
            yield from _compare(
                f"{path}[{index}]",
                *(_item(value, index) for value in (old, new, shown_old, shown_new)),
            )
    elif old is _MISSING:
        yield Difference(path=path, kind=Kind.ADDED, new=shown_new)
    elif new is _MISSING:
        yield Difference(path=path, kind=Kind.REMOVED, old=shown_old)
    # 1 and True are equal in Python, and not in JSON.
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield Difference(path=path, kind=Kind.CHANGED, old=shown_old, new=shown_new)


def _item(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING
