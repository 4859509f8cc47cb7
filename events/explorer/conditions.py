"""What a search and the filters ask of the rows of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _


class SearchError(ValueError):
    """It can't be searched for that; the message is for the person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Columns that an index starts with, and the values that they must have.

    The index goes on with the ordering of the list, or with the one that is given here.
    """

    values: Mapping[str, Any]
    ordering: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """All of them: the one that an index serves, and values that its rows must have besides."""

    served: Condition | None = None
    further: Mapping[str, Any] = field(default_factory=dict)


def combine(conditions: Sequence[Condition]) -> Conditions:
    """The first one is served. Raises SearchError where no row can meet them all."""
    values: dict[str, Any] = {}
    for condition in conditions:
        for column, value in condition.values.items():
            if values.setdefault(column, value) != value:
                raise SearchError(_("The search and the filters contradict each other."))
    served = conditions[0] if conditions else None
    for column in served.values if served else ():
        del values[column]
    return Conditions(served=served, further=values)
