"""The first version of an aggregate at which a condition on its state holds.

Every version is looked at, in order: nothing says that what holds once goes on to hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le, lt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .states import History

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_MISSING = object()

#: As they are written, and what they mean.
OPERATORS: Mapping[str, Any] = {
    "=": gettext_lazy("is"),
    "!=": gettext_lazy("is not"),
    "<": gettext_lazy("is less than"),
    "<=": gettext_lazy("is at most"),
    ">": gettext_lazy("is more than"),
    ">=": gettext_lazy("is at least"),
    "has": gettext_lazy("holds"),
    "set": gettext_lazy("is set"),
}

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


class ConditionError(ValueError):
    """The message is for the person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`path` is written as differences print it: `items[2].price`."""

    path: tuple[str | int, ...]
    operator: str
    value: Any

    @classmethod
    def parse(cls, *, field: str, operator: str, value: str) -> Condition:
        """Values are JSON, or else text. Raises ConditionError."""
        if operator not in OPERATORS:
            raise ConditionError(_("“%(text)s” isn't a comparison.") % {"text": operator})
        parts = _PART.findall(field.strip())
        if not parts:
            raise ConditionError(_("“%(text)s” names no field.") % {"text": field})
        path = tuple(int(index) if index else name for name, index in parts)
        try:
            wanted = json.loads(value)
        except ValueError:
            wanted = value
        return cls(path=path, operator=operator, value=wanted)

    def holds(self, state: Any) -> bool:
        found = self._found(state)
        if self.operator == "set":
            return found is not _MISSING and found is not None
        if found is _MISSING:
            return self.operator == "!="
        if self.operator == "has":
            return _holds(found, self.value)
        left, right = _comparable(found, self.value)
        if self.operator in ("=", "!="):
            # True equals 1 in Python, and not in JSON.
            are_equal = left == right and isinstance(left, bool) is isinstance(right, bool)
            return are_equal is (self.operator == "=")
        if type(left) is not type(right) or not isinstance(left, Decimal | str):
            return False
        return bool(_COMPARISONS[self.operator](left, right))

    def _found(self, state: Any) -> Any:
        for part in self.path:
            if isinstance(part, int) and isinstance(state, list) and part < len(state):
                state = state[part]
            elif isinstance(state, dict) and str(part) in state:
                state = state[str(part)]
            else:
                return _MISSING
        return state


def _comparable(found: Any, wanted: Any) -> tuple[Any, Any]:
    """As numbers where both are: decimals are strings in JSON."""
    left, right = _number(found), _number(wanted)
    return (found, wanted) if left is None or right is None else (left, right)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(found, list | dict):
        return wanted in found or str(wanted) in found
    return isinstance(found, str) and str(wanted) in found


def first_version(
    history: History, condition: Condition, last: int, shown: Callable[[Any], Any]
) -> int | None:
    """None where it never holds. `shown` gives what the user may see of a state. Raises
    TooManySteps."""
    state, _problem = history.state_at(-1)
    if condition.holds(shown(state)):
        return -1
    for step in history.steps(0, last):
        if condition.holds(shown(step.after)):
            return step.recorded.sequence_number
    return None
